"""What an answer means: accepted, refused, another result, malformed, or not judged."""

import pytest

from conformance.exchange.call import DIRECT, Batch, Way
from conformance.exchange.response import read_answer

XML = Way(suffix=".xml")
MAP, LIST = Way(batch=Batch.MAP), Way(batch=Batch.LIST)
NEITHER = "malformed: neither result nor error"
FOREIGN = "malformed: not the format asked for"
REFUSAL = '{"error": "NO", "error_description": ""}'


@pytest.mark.parametrize(
    ("way", "status", "body", "outcome"),
    [
        (DIRECT, 200, '{"result": true, "time": {}}', "accepted"),
        (DIRECT, 200, "true", "accepted"),
        (DIRECT, 200, '{"result": true, "error": ""}', "accepted"),
        (DIRECT, 200, '{"result": 1}', "another result"),
        (DIRECT, 200, '{"result": "true"}', "another result"),
        (DIRECT, 200, '{"result": false}', "another result"),
        (DIRECT, 200, '{"result": false, "error": "NO"}', "refused NO"),
        (DIRECT, 400, REFUSAL, "refused NO"),
        (DIRECT, 400, '{"error": 7}', "refused"),
        (DIRECT, 200, "{}", NEITHER),
        (DIRECT, 200, "[true]", NEITHER),
        (DIRECT, 200, "1", NEITHER),
        (DIRECT, 200, "", FOREIGN),
        (DIRECT, 200, "<html>", FOREIGN),
        (DIRECT, 200, "\ufeff{}", FOREIGN),
        (DIRECT, 200, '{"result": NaN}', FOREIGN),
        (DIRECT, 200, "[" * 100_000, FOREIGN),
        (DIRECT, 503, '{"error": "QUERY_LIMIT_EXCEEDED"}', "not judged: a limit was reached"),
        (DIRECT, 413, "<html>", "not judged: a limit was reached"),
        (DIRECT, 429, "<html>", "not judged: a limit was reached"),
        (DIRECT, 429, REFUSAL, "refused NO"),
        (XML, 503, '{"error": "QUERY_LIMIT_EXCEEDED"}', "not judged: a limit was reached"),
        (XML, 400, "<!DOCTYPE response><response><error>\n NO\n</error></response>", "refused NO"),
        (XML, 200, "<response><result>1</result></response>", "accepted"),
        (XML, 200, "<response><result>0</result></response>", "another result"),
        (XML, 400, "<response><error>NO</error></response>", "refused NO"),
        (XML, 200, '{"result": true}', FOREIGN),
        (XML, 200, '<!DOCTYPE x [<!ENTITY a "b">]><response><result>1</result></response>', FOREIGN),
        (MAP, 200, '{"result": {"result": {"vote1": true}, "result_error": []}}', "accepted"),
        (MAP, 200, '{"result": {"result": [], "result_error": {"vote1": {"error": "NO"}}}}', "refused NO"),
        (MAP, 200, '{"result": {"result": {"vote1": true}, "result_error": {"vote1": {"error": "NO"}}}}', NEITHER),
        (MAP, 200, '{"result": {"result": [], "result_error": {"vote1": true}}}', NEITHER),
        (MAP, 200, '{"result": {"result": [], "result_error": []}}', NEITHER),
        (MAP, 200, REFUSAL, NEITHER),
        (LIST, 200, '{"result": {"result": {"1": true}, "result_error": [{"error": "NO"}]}}', "accepted"),
        (LIST, 200, '{"result": {"result": [null, true], "result_error": []}}', "accepted"),
        (LIST, 200, '{"result": {"result": [], "result_error": [{"error": "A"}, {"error": "B"}]}}', "refused B"),
    ],
)  # fmt: skip
def test_the_outcome_of_an_answer(way: Way, status: int, body: str, outcome: str) -> None:
    assert str(read_answer(status, "", body.encode(), way).outcome) == outcome
