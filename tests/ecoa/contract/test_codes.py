from ecoa.contract import Code, ErrorType, find_code

PUBLISHED = [
    ("UE-0001", "UNEXPECTED_ERROR", "Unexpected Error"),
    ("ID-0001", "INVALID_DATA", "Invalid Data"),
    ("ID-0002", "INVALID_DATA", "Site is not associated to specified study"),
    ("ID-0003", "INVALID_DATA", "Participant already exists"),
    ("NF-0001", "NOT_FOUND", "Not Found"),
    ("NF-0002", "NOT_FOUND", "External system ID or external sponsor study ID not found"),
    ("NF-0003", "NOT_FOUND", "Study site not found"),
    ("NF-0004", "NOT_FOUND", "Participant not found"),
    ("IC-0001", "INVALID_CONFIG", "Invalid Configuration"),
    ("IC-0002", "INVALID_CONFIG", "External integration not enabled; contact Veeva for help"),
    ("IC-0003", "INVALID_CONFIG", "Integration mapping not found; contact Veeva for help"),
]


def test_codes_carry_the_published_types_and_messages():
    assert [(code.value, code.error_type.value, code.message) for code in Code] == PUBLISHED


def test_error_types_are_the_published_ones():
    assert [kind.value for kind in ErrorType] == ["UNEXPECTED_ERROR", "INVALID_DATA", "NOT_FOUND", "INVALID_CONFIG"]


def test_find_code_knows_only_published_codes():
    assert find_code("NF-0004") is Code.PARTICIPANT_NOT_FOUND
    assert find_code("NF-0005") is None
