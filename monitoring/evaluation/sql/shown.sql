-- How much of what each model version knows was shown in one window, and how evenly: the movies
-- shown and the Gini coefficient over all of them (0: all alike, near 1: few, always).
WITH shown AS (
    SELECT model_version, arm, movie_id, count(*) AS times
    FROM receipt
    CROSS JOIN LATERAL unnest(movie_ids) AS movie_id
    WHERE time >= %(start)s AND time < %(end)s
    GROUP BY model_version, arm, movie_id
),
ranked AS (
    SELECT shown.*, model_version.movies,
           -- those that were never shown come first
           model_version.movies - count(*) OVER version
               + row_number() OVER (version ORDER BY times) AS place
    FROM shown
    JOIN model_version ON model_version.version = shown.model_version
    WINDOW version AS (PARTITION BY model_version, arm)
)
SELECT model_version, arm, sum(times)::bigint AS impressions,
       count(*)::float8 / movies AS coverage,
       (sum((2 * place - movies - 1) * times) / (movies * sum(times)))::float8 AS concentration
FROM ranked
GROUP BY model_version, arm, movies
ORDER BY model_version, arm
