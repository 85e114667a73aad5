"""What an answer means: accepted, refused, another result, malformed, or not judged."""

import pytest

from conformance.exchange.call import PLAIN_JSON, Batch, Delivery
from conformance.exchange.response import read_response

pytestmark = pytest.mark.quick

XML = Delivery(suffix=".xml")
MAP, LIST = Delivery(batch=Batch.MAP), Delivery(batch=Batch.LIST)
NEITHER = "malformed: neither result nor error"
FOREIGN = "malformed: not the format asked for"
REFUSAL = '{"error": "NO", "error_description": ""}'


@pytest.mark.parametrize(
    ("way", "status", "body", "outcome"),
    [
        (PLAIN_JSON, 200, '{"result": true, "time": {}}', "accepted"),
        (PLAIN_JSON, 200, "true", "accepted"),
        (PLAIN_JSON, 200, '{"result": true, "error": ""}', "accepted"),
        (PLAIN_JSON, 200, '{"result": 1}', "another result"),
        (PLAIN_JSON, 200, '{"result": "true"}', "another result"),
        (PLAIN_JSON, 200, '{"result": false}', "another result"),
        (PLAIN_JSON, 200, '{"result": false, "error": "NO"}', "refused NO"),
        (PLAIN_JSON, 400, REFUSAL, "refused NO"),
        (PLAIN_JSON, 400, '{"error": 7}', "refused"),
        (PLAIN_JSON, 200, "{}", NEITHER),
        (PLAIN_JSON, 200, "[true]", NEITHER),
        (PLAIN_JSON, 200, "1", NEITHER),
        (PLAIN_JSON, 200, "", FOREIGN),
        (PLAIN_JSON, 200, "<html>", FOREIGN),
        (PLAIN_JSON, 200, "\ufeff{}", FOREIGN),
        (PLAIN_JSON, 200, '{"result": NaN}', FOREIGN),
        (PLAIN_JSON, 200, "[" * 100_000, FOREIGN),
        (PLAIN_JSON, 503, '{"error": "QUERY_LIMIT_EXCEEDED"}', "not judged: a limit was reached"),
        (PLAIN_JSON, 413, "<html>", "not judged: a limit was reached"),
        (PLAIN_JSON, 429, "<html>", "not judged: a limit was reached"),
        (PLAIN_JSON, 429, REFUSAL, "refused NO"),
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
def test_the_outcome_of_an_answer(way: Delivery, status: int, body: str, outcome: str) -> None:
    assert str(read_response(status, "", body.encode(), way).outcome) == outcome
