-- When the first answer or request is that has no figures yet and can have them.
SELECT least(
    (SELECT min(time) FROM receipt WHERE time >= %(judged_until)s AND time < %(limit)s),
    (SELECT min(time) FROM recommendation_request
     WHERE time >= %(judged_until)s AND time < %(limit)s))
