import pytest

from ecoa.selectors import site_list
from ecoa.selectors import sites as site_rows

IDS = ("0001", "1005-0001", "1005-0002", "1005-A1", "a1", "A1", "A2", "1005-a3", "x%", "xy")


@pytest.mark.parametrize("search", ["", "0", "000", "1005", "1005-0", "a", "A1", "x", "x%", "nobody"])
@pytest.mark.parametrize("state", ["", "synced", "needs_you"])
def test_page_by_page_the_list_holds_whom_the_file_holds(study, search, state):
    for number, value in enumerate(IDS):
        study.participants(1, participant_id=value, status="synced" if number % 2 else "rejected", code="ID-0003")
    opened = site_rows.site(study.manager, study=study.mapping.external_study_id, number=study.site.number)

    shown, after = [], ""
    while found := list(site_list.page(study.manager, opened, state=state, search=search, after=after, limit=2)):
        shown += [one.participant_id for one in found]
        after = found[-1].participant_id

    filed = site_list.participants(study.manager, opened, state=state, search=search)
    assert shown == [one.participant_id for one in filed]
    assert len(shown) == len(set(shown))
