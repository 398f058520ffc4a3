from django import forms

HOSTILE = "<script>x()</script>"


class Sample(forms.Form):
    name = forms.CharField(label="Name", help_text="Shown to the other Vault.")
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea)
    user = forms.ChoiceField(label="Authorized Connection User", choices=[("", "None")], required=False)
    verdict = forms.ChoiceField(label="Verdict", choices=[("a", "Approve"), ("r", "Reject")], widget=forms.RadioSelect)
    sure = forms.BooleanField(label="I compared the words")
    file = forms.FileField(label="Connection file")
    key = forms.CharField(widget=forms.HiddenInput)


def test_a_text_field_ties_label_help_and_control(render):
    drawn = render("{% field form.name %}", form=Sample())

    assert '<label class="form-label required" for="id_name">Name</label>' in " ".join(drawn.split())
    assert 'aria-describedby="id_name_help"' in drawn
    assert 'id="id_name_help"' in drawn
    assert "aria-invalid" not in drawn


def test_a_refused_field_names_its_error_first(render):
    drawn = render("{% field form.name %}", form=Sample({}))

    assert 'aria-describedby="id_name_error id_name_help"' in drawn
    assert 'aria-invalid="true"' in drawn
    assert "This field is required." in drawn


def test_an_optional_field_is_not_marked(render):
    assert "required" not in render("{% field form.note %}", form=Sample())


def test_a_select_looks_like_one(render):
    assert 'class="form-select"' in render("{% field form.user %}", form=Sample())


def test_radios_are_a_group_with_a_legend(render):
    drawn = render("{% field form.verdict %}", form=Sample({"verdict": "r"}))

    assert "<fieldset" in drawn
    assert "<legend" in drawn
    assert drawn.count('type="radio"') == 2
    assert drawn.count("checked") == 1


def test_a_file_input_is_labelled_choose(render):
    drawn = " ".join(render("{% field form.file %}", form=Sample()).split())

    assert '<label class="btn" for="id_file">Choose</label>' in drawn
    assert "Connection file" in drawn


def test_a_hidden_field_is_only_itself(render):
    drawn = render("{% field form.key %}", form=Sample())

    assert 'type="hidden"' in drawn
    assert "<label" not in drawn


def test_what_was_typed_comes_back_escaped(render):
    drawn = render("{% field form.name %}{% field form.note %}", form=Sample({"name": HOSTILE, "note": HOSTILE}))

    assert "<script" not in drawn
    assert drawn.count("&lt;script&gt;") == 2


def test_a_placeholder_that_repeats_the_label_is_dropped(render):
    form = Sample()
    form.fields["name"].widget.attrs["placeholder"] = "Name"

    assert "placeholder" not in render("{% field form.name %}", form=form)


def test_the_error_summary_links_to_every_marked_field(render):
    drawn = render('{% include "components/form_errors.html" %}', form=Sample({}))

    assert 'href="#id_name"' in drawn
    assert 'href="#id_file"' in drawn


def test_the_error_summary_says_what_is_wrong_with_the_whole(render):
    form = Sample({})
    form.add_error(None, "This file was made for another Vault.")

    assert "This file was made for another Vault." in render('{% include "components/form_errors.html" %}', form=form)


def test_a_good_form_has_no_error_summary(render):
    assert render('{% include "components/form_errors.html" %}', form=Sample()).strip() == ""
