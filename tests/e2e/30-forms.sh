#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: forms of other people: published, filled, sent, read.  AMPARO_SHARED_FORMS names a folder with
# odk-soak-250q.form.xml, odk-soak-250q.submission.xml (a template) and the two versions of
# odk-docs-example; where it is not there, ../shared/forms is tried.
. tests/e2e/lib.sh
forms=${AMPARO_SHARED_FORMS:-../shared/forms}
if [ ! -d "$forms" ]; then
	echo "SKIP other people's forms are not on this machine: AMPARO_SHARED_FORMS names their folder"
	finish
fi
claim "an organisation is set up" found s1 || finish
claim "a volunteer joins" enrol v1 "Volunteer 1" volunteer
for f in "$forms"/*.form.xml; do
	claim "$(basename "$f") is published" as ruth form publish "$f" --desk Intake
done
refused 1 "the same version is not published twice" as ruth form publish "$forms/odk-soak-250q.form.xml" --desk Intake
claim "the volunteer gets them" as v1 sync
same "all are listed" "$(as v1 form list --json | grep -o '"id"' | wc -l)" \
	"$(($(ls "$forms"/*.form.xml | wc -l) + 1))"
uuid=0c9b1d4e-7a53-4f0b-9d6e-5b1f0a7c3e21
sed "s/{{uuid}}/$uuid/g; s/{{randInt}}/7/g" "$forms/odk-soak-250q.submission.xml" >"$work/soak.xml"
claim "the 250-question submission is sealed" as v1 intake submit --instance "$work/soak.xml"
claim "and sent" as v1 sync
claim "a release" as ruth release
claim "a holder syncs" as ana sync --yes
code=$(as ana cases --json | grep -o '"code":"[0-9A-Z-]*"' | cut -d'"' -f4)
claim "a holder reads it with its labels" as ana show "$code"
claim "and exports it" as ana export "$code" --to "$work/export"
claim "byte for byte" sh -c "cmp $work/soak.xml $work/export/*/submission.xml"
finish
