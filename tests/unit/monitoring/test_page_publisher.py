from monitoring.page.publisher import AS_JSON
from tests.unit.monitoring.pages import LOOKS, content, experiment, full


def as_kept(known):
    return AS_JSON.dump_json(known)


def test_all_that_the_page_knows_is_known_after_a_restart():
    for known in (content(experiments=[experiment()], looks=LOOKS), full()):
        assert as_kept(AS_JSON.validate_json(as_kept(known))) == as_kept(known)
