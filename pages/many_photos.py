"""Many photos: one model over a folder of photos, with a table and a ZIP file of everything it found."""

import streamlit as st

from explorer.batches import Outcome, Source, archive, chosen, table_csv
from explorer.components.maps import maps
from explorer.errors import UserError
from explorer.text import _
from explorer.trace import Trace
from explorer.ui import many_photos as many
from explorer.ui import page
from explorer.ui.batch_job import go_on, progress
from explorer.ui.bounded import bounded
from explorer.ui.steps import show_steps


@st.cache_resource(max_entries=6, show_spinner=False)
def steps_of(
    key: str, photo: object, _chosen: many.Chosen, _source: Source, _outcome: Outcome
) -> tuple[Trace, str] | None:
    """The last part of the model on one of the photos, kept."""
    return many.steps_of(_chosen, _source, _outcome)


page.header(
    _("Many photos"),
    _("Give a network a folder of photos and take the results along: classes, boxes or masks. It looks at one photo after the "
      "other. A photo that cannot be read is a row in the table, and the rest goes on."),
    rf"{page.tex('output', 'result')}_i = f({page.tex('input', 'photo')}_i), \qquad i = 1, \dots, n",
    more="many_photos",
)  # fmt: skip

controls, picture = page.play()
model = None
with controls:
    try:
        model = many.choose_model()
    except UserError as error:
        st.error(str(error), icon=":material/broken_image:")
    sources, identity = many.choose_photos()
    more = st.expander(_("More"))
if model is None:
    st.stop()
with more:
    least = st.slider(_("Least score of a box"), 0.05, 0.95, 0.3, 0.05, key="many_score", bind="query-params",
                      disabled=model.task != "boxes", help=_("The network does not run again."))  # fmt: skip
job = many.work_on(model, sources, identity)
with controls:
    progress(job)
outcomes = chosen(job.outcomes, least, model.overlap)
shown = None
with picture:
    place = bounded(
        _("Photo shown"), range(1, max(len(outcomes), 1) + 1), 1, key="many_shown", disabled=len(outcomes) < 2
    )
    shown = outcomes[place - 1] if outcomes else None
    if shown is not None and shown.found is not None:
        maps([many.result_map(shown)], key="many_maps", columns=1, height=380)
    elif shown is not None:
        st.error(f"{shown.name}: {shown.error}", icon=":material/broken_image:")
    bad = sum(bool(one.error) for one in outcomes)
    if bad:
        st.caption(_("{bad} of {n} photos could not be used; their rows say why.").format(bad=bad, n=len(outcomes)))
st.dataframe(many.table(outcomes), hide_index=True, width="stretch", key="many_table")
left, right, _rest = st.columns([3, 3, 6], gap="small")
with left:
    st.download_button(_("All results (ZIP)"), lambda: archive(outcomes), file_name="results.zip", mime="application/zip",
                       icon=":material/folder_zip:", key="many_zip", disabled=not outcomes,
                       help=_("The table, pictures, and by what was found classes, boxes as COCO JSON, or masks."))  # fmt: skip
with right:
    st.download_button(_("Table (CSV)"), lambda: table_csv(outcomes), file_name="results.csv", mime="text/csv",
                       icon=":material/table:", key="many_csv", disabled=not outcomes)  # fmt: skip

page.step_through(
    _("The last part of the work on the photo shown above, or a window of it: the code that ran for each.")
)
found = None
if shown is not None and shown.found is not None:
    found = steps_of(model.key, (identity, place), model, sources[place - 1], shown)
if found is not None:
    steps, start = found
    show_steps(steps, key=f"many_stepper_{model.task}", roles=many.ROLES, start=steps.first(start),
               subject=f"{model.key} {place}")  # fmt: skip
else:
    st.caption(_("There is nothing to step through here: this model shows no such part, or nothing was found."))

good = [many.RESULT_OF[model.task](one.found) for one in outcomes if one.found is not None]
page.code(many.snippet(model, sources[: len(outcomes)], identity == "samples", least), good)
page.sources(
    [
        ("COCO: data format", "https://cocodataset.org/#format-data"),
        ("torchvision: models and pre-trained weights", "https://docs.pytorch.org/vision/stable/models.html"),
    ]
)
go_on(job)
