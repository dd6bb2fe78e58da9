"""Every form of a network is taken or refused, as the page for users says."""

from pathlib import Path

import numpy as np
import pytest

from ernn.errors import UserError
from tests.nn import forms
from tests.nn.onnx_graphs import INPUTS

pytestmark = pytest.mark.filterwarnings("ignore")  # of both exporters
CASES = [(form, source) for form in forms.FORMS for source in form.made]


@pytest.mark.parametrize(("form", "source"), CASES, ids=lambda each: getattr(each, "name", each))
def test_it_is_taken_or_refused_with_its_reason(form, source):
    if source in form.refused:
        with pytest.raises(UserError) as error:
            form.made[source]()
        assert form.refused[source] in str(error.value)
        assert "\n" not in str(error.value)
    else:
        assert np.isfinite(form.made[source]().predict(np.ones((4, INPUTS)))).all()


def test_the_page_has_the_table():
    page = (Path(__file__).parents[2] / "docs/your-network.md").read_text()
    assert forms.table() in page, "python -m tests.nn.forms prints it"
    assert {source for form in forms.FORMS for source in form.refused} <= set(forms.SOURCES)
