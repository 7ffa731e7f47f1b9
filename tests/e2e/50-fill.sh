#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: an interview at the terminal as a volunteer has it: 40 columns, in Spanish, with
# children to add and mistakes to mend; killed again and again and gone on with; from paper;
# and whatever a submission lacks said by the question's number and label.
# AMPARO_FILL_KILLS: how many kills (40; 400 in the long run).  SEED: of the kills.
. tests/e2e/lib.sh
kills_wanted=${AMPARO_FILL_KILLS:-$([ "${LIMIT:-0}" -ge 3600 ] && echo 400 || echo 40)}
SEED=${SEED:-$(date +%s)}
RANDOM=$((SEED % 32768))
heads=(--head Pregunta --head '¿Agregar' --head Agradezca --head Revisión --head Sellada
	--head Question --head Add --head Review --head Sealed --head 'From paper')

claim "an organisation is set up" found s1 || finish
claim "a form with children and a photograph is published" \
	as ruth form publish tests/e2e/data/left-alone.form.xml --desk Intake
claim "a volunteer joins" enrol v1 "Tomás Juan" volunteer
home=$work/home/v1
claim "her vault is unlocked for the day" as v1 unlock --for 2h
photo="$work/nta hoja 1.jpg"
cp tests/e2e/data/nta-tzunun-hoja1.jpg "$photo"

# tty ANSWERS-FILE OUTPUT [ONTTY-OPTION…] -- COMMAND…
tty() {
	local answers=$1 out=$2 opts=()
	shift 2
	while [ "$1" != -- ]; do opts+=("$1"); shift; done
	shift
	env -u LANG -u LC_ALL -u LC_MESSAGES AMPARO_HOME="$home" "$BIN/tests/tools/ontty" --columns 40 \
		--silence 20 --typed "$work/typed" "${heads[@]}" "${opts[@]}" "$BIN/amparo" "$@" \
		<"$answers" >"$out.raw" 2>&1
	local rc=$?
	tr -d '\r' <"$out.raw" >"$out"
	# the same question, whatever an answer that was kept has opened behind it
	sed -i 's/ de unas [0-9]*$//' "$work/typed"
	return $rc
}
code_in() { grep -o '^    [0-9A-Z]\{5\}-[0-9A-Z]\{5\}$' "$1" | tr -d ' ' | head -n 1; }
n_drafts() { as v1 drafts --json | grep -o '"draft":' | wc -l; }
has() { if grep -q -- "$2" "$3"; then ok "$1"; else fail "$1: no \"$2\""; sed 's/^/    /' "$3"; fi; }

# ---- one interview without a break ----------------------------------------------------------
cat >"$work/answers" <<END
1
Xhunik Tz’unun Pascual
24 dic 2030
12/11/2026
2
7:30 pm
1, 2
1
Luz Marisol
130
7
Escuela Morton
1
Efrén
<
.ir 7
1
9

Efrén Antonio
5
.saltar

3
$photo
Se la llevaron de la planta.
Los niños están con la vecina.


5
.borrar
1 3
enviar

END
tty "$work/answers" "$work/one" -- intake fill --form left-alone --lang es
same "an interview in Spanish on 40 columns is sealed" $? 0
# what was typed stands behind a prompt; the photograph's path has no blank to be cut at
same "no line is longer than 40 columns but what was typed" \
	"$(LC_ALL=C.UTF-8 grep -v ': .' "$work/one" | LC_ALL=C.UTF-8 grep -c '.\{41\}')" 0
has "every question has its number and about how many there are" '^Pregunta 7 - 7 de unas 1[0-9]$' "$work/one"
has "the repeat asks in the form's words" 'Agregar otra vez: Niña o niño' "$work/one"
has "a constraint refuses in the form's words" 'Esta fecha no puede estar en el futuro' "$work/one"
has "and for an age" 'años cumplidos' "$work/one"
has "a day that can be two is asked back" '2. 12 de noviembre de 2026' "$work/one"
has "an attachment's size is said" 'KiB, copiado' "$work/one"
has "the review shows choices by their words" '^    Español, Q’anjob’al$' "$work/one"
has "the code is there in one line" '^    [0-9A-Z]\{5\}-[0-9A-Z]\{5\}$' "$work/one"
has "and in large letters" '^ *#.*#' "$work/one"
has "nothing but Spanish is spoken" 'Clave del papelito' "$work/one"
same "no escape sequence, so a screen reader reads plain lines" "$(grep -c "$(printf '\033')" "$work/one.raw")" 0
same "no draft is left" "$(n_drafts)" 0
code_one=$(code_in "$work/one")

# ---- the same one, killed at random -------------------------------------------------------------
# After a kill the volunteer looks where it stands and goes on from what she typed last, if that
# question is still there.
kills=0
killed_interview() {
	local at=0 rc=137 stop typed last here next l
	local command=(intake fill --form left-alone --lang es)
	: >"$work/all"
	while [ $rc -eq 137 ]; do
		stop=()
		if [ $kills -lt "$kills_wanted" ]; then
			stop=(--stop-at $((RANDOM % 4 + 1)))
			# half of them while the program works on what was just typed
			[ $((RANDOM % 2)) -eq 0 ] && stop+=(--after-us $((RANDOM % 12000)))
		fi
		tail -n +$((at + 1)) "$work/answers" >"$work/rest"
		tty "$work/rest" "$work/part" "${stop[@]}" -- "${command[@]}"
		rc=$?
		cat "$work/part" >>"$work/all"
		[ $rc -eq 137 ] || break
		kills=$((kills + 1))
		typed=$(($(wc -l <"$work/typed") - 1))
		last=$(sed '$d' "$work/typed" | tail -n 1)
		if [ "$(n_drafts)" -eq 0 ]; then
			# killed before the first answer was kept, or after everything was done
			[ $at -gt 0 ] && { rc=0; break; }
			continue
		fi
		command=(intake fill --resume 1)
		[ -n "$last" ] && cp "$work/typed" "$work/typed.before"
		tty /dev/null "$work/look" --stop-at 1 -- "${command[@]}"
		kills=$((kills + 1))
		here=$(sed -n 's/^at //p' "$work/typed")
		next=$((at + typed))
		if [ $typed -gt 0 ] && [ "$last" = "$here" ]; then
			# what was typed at this question since the last kill, once more
			while [ $typed -gt 0 ] && [ "$(sed -n "${typed}p" "$work/typed.before")" = "$here" ]; do
				typed=$((typed - 1))
				next=$((next - 1))
			done
			# lines of a longer text that are kept already
			case $here in "Pregunta 11 "*)
				while l=$(sed -n "$((next + 1))p" "$work/answers"); [ -n "$l" ] && grep -qFx "  $l" <(
					tr '\n' ' ' <"$work/look" | sed 's/  */ /g; s/\. /.\n/g; s/ahora: /ahora:\n/g' |
					sed 's/^ *//; s/^/  /'); do
					next=$((next + 1))
				done ;;
			esac
		fi
		at=$next
	done
	return $rc
}
codes=() broken=0
while [ $kills -lt "$kills_wanted" ] && [ $broken -eq 0 ]; do
	killed_interview || broken=1
	codes+=("$(code_in "$work/all")")
done
same "the killed interviews are sealed in the end (${#codes[@]})" $broken 0
same "and no draft is left of them" "$(n_drafts)" 0
claim "all are sent" as v1 sync
claim "a release" as ruth release
claim "a holder syncs" as ana sync --yes
flat() { sed 's/></>\n</g' "$work/$1"/*/submission.xml | grep -v instanceID; }
claim "the undisturbed one is exported" as ana export "$code_one" --to "$work/x1"
flat x1 >"$work/x1.txt"
lost=0
for code in "${codes[@]}"; do
	rm -rf "$work/x2"
	claim "a killed one is exported" as ana export "$code" --to "$work/x2"
	flat x2 >"$work/x2.txt"
	lost=$((lost + $(diff "$work/x1.txt" "$work/x2.txt" | grep -c '^[<>]')))
	claim "its photograph is there, byte for byte" sh -c "cmp '$photo' '$work'/x2/*/'nta hoja 1.jpg'"
done
same "they are the same, answer by answer ($(wc -l <"$work/x1.txt") lines each)" "$lost" 0
[ "$lost" -eq 0 ] || diff "$work/x1.txt" "$work/x2.txt"
sed 's/Luz Marisol/Luz/' "$work/x2.txt" >"$work/control"
same "the control: a changed answer is seen" "$(diff "$work/x1.txt" "$work/control" | grep -c '^[<>]')" 2
has "with what was written in two lines" 'Los niños están con la vecina' "$work/x2.txt"
echo "figure: kills: $kills; answers lost: $lost (seed $SEED)"

# ---- a draft says nothing to whoever has the disk ---------------------------------------------------
cp "$photo" "$work/foto.jpg"
printf '%s\n' 1 "Canaria Ixquiej Velásquez" "" "" "" "" "" "$work/foto.jpg" .save >"$work/answers2"
tty "$work/answers2" "$work/two" -- intake fill --form left-alone --lang en
same "an interview is stopped with .save" $? 0
has "and says how to go on" 'intake fill --resume 1' "$work/two"
as v1 drafts >"$work/list"
has "it is listed" 'Draft 1: ' "$work/list"
has "with the number of answers" 'answers: 3; attachments: 1' "$work/list"
same "and nothing that was answered" "$(grep -c 'Canaria\|foto' "$work/list")" 0
printf 'name\tCanaria Ixquiej Velásquez\nname\tIxquiej\nfile\tfoto.jpg\nphoto\t%s\n' \
	"$(head -n 1 tests/e2e/data/canaries.txt | cut -f2)" >"$work/canaries"
"$BIN/tests/tools/hunt" --plant 40 "$work/canaries" "$home" >"$work/hunt" 2>&1
same "answers are not found in the home folder, the planted ones are" $? 0
sed -n 's/^found/figure: draft on the disk: found/p' "$work/hunt"
printf 'Ixquiej' >"$home/control"
"$BIN/tests/tools/hunt" "$work/canaries" "$home" >"$work/hunt" 2>&1
same "the control: in a plain file they are" $? 1
rm -f "$home/control" "$work/foto.jpg"

# ---- every other way to be interrupted -----------------------------------------------------------------
for s in INT TERM HUP; do
	tty /dev/null "$work/stop" --stop-at 1 --signal $s -- intake fill --resume 1
	same "after SIG$s it ends by itself and everything is kept" "$?:$(n_drafts)" 3:1
done
tty /dev/null "$work/stop" -- intake fill --resume 1
same "at the end of the input too" $? 3
has "which says how to go on" 'intake fill --resume 1' "$work/stop"
printf 'Una frase sin terminar' >"$work/half"
tty "$work/half" "$work/stop" -- intake fill --resume 1
has "a line cut off by the end of the input is an answer" 'Una frase sin terminar' "$work/stop"
mkfifo "$work/in"
tty "$work/in" "$work/window" -- intake fill --resume 1 &
window=$!
exec 7>"$work/in"
# it is open once it asks
for _ in $(seq 20000); do grep -q '^Question' "$work/window.raw" 2>/dev/null && break; done
refused 1 "a draft open in another window cannot be dropped" as v1 drafts drop 1 --yes
cp "$work/err" "$work/faults"
has "and the reason is said" 'another window' "$work/faults"
refused 1 "nor can it be gone on with" as v1 intake fill --resume 1
exec 7>&-
wait $window
printf '%s\n' .review 2 "Canaria Ixquiej" .review submit "" >"$work/answers3"
tty "$work/answers3" "$work/three" -- intake fill --resume 1
same "gone on with after all that, it is sealed" $? 0
same "and left nothing" "$(n_drafts)" 0
code_three=$(code_in "$work/three")

# ---- no room -------------------------------------------------------------------------------------------
# The vault may not grow, a photograph does not fit; then it may, and Enter tries again.
printf '%s\n' 1 "Juana" .save >"$work/answers8"
tty "$work/answers8" "$work/nine" -- intake fill --form left-alone --lang en
mkfifo "$work/in2"
(
	trap '' XFSZ
	ulimit -S -f $(($(stat -c %s "$home/vault.mdb") / 1024 + 24))
	tty "$work/in2" "$work/full" -- intake fill --resume 1
) &
window=$!
exec 7>"$work/in2"
printf '%s\n' .review 10 "$photo" >&7
for _ in $(seq 20000); do grep -q 'NOT kept' "$work/full.raw" 2>/dev/null && break; done
has "where the disk takes no more, that is said" 'NOT kept yet' "$work/full.raw"
pid=$window
# the shell, the terminal, the program
while child=$(cut -d' ' -f1 "/proc/$pid/task/$pid/children") && [ -n "$child" ]; do pid=$child; done
same "the program waits" "$(cat "/proc/$pid/comm")" amparo
same "with what it had before still kept" "$(as v1 drafts --json | grep -o '"answers":[0-9]*')" '"answers":2'
prlimit --pid "$pid" --fsize=unlimited:
printf '%s\n' "" .review submit "" >&7
exec 7>&-
wait $window
same "when there is room again it goes on and is sealed" "$?:$(n_drafts)" 0:0
has "with the photograph" 'copied here and' "$work/full"
code_full=$(code_in "$work/full")

# ---- killed between the seal and the slip ------------------------------------------------------------------
printf '%s\n' 1 "Pedro" .review submit >"$work/answers4"
tty "$work/answers4" "$work/four" --stop-at 5 -- intake fill --form left-alone --lang en
same "killed while the code stands on the screen" $? 137
as v1 drafts >"$work/list"
has "the code is not lost" 'sealed, its code is not copied yet' "$work/list"
code_four=$(code_in "$work/four")
printf '%s\n' 00000-00000 "$code_four" >"$work/answers5"
tty "$work/answers5" "$work/five" -- intake fill --resume 1
same "it is shown again" "$(code_in "$work/five")" "$code_four"
has "a wrong copy is noticed" 'not the code above' "$work/five"
same "a right one ends it" "$(n_drafts)" 0

# ---- dropped ---------------------------------------------------------------------------------------------------
printf '%s\n' 1 "Nobody" .save >"$work/answers6"
tty "$work/answers6" "$work/six" -- intake fill --form left-alone
has "the form's first language where nothing else is said" 'Name of the person' "$work/six"
printf '%s\n' "" .save >"$work/answers7"
AMPARO_HOME=$home LANG=es_MX.UTF-8 "$BIN/amparo" intake fill --form left-alone <"$work/answers7" >"$work/six" 2>&1
has "that of this computer where the form has it" 'Podemos anotar' "$work/six"
has "and a pipe is answered as a terminal is" 'No se contestó nada' "$work/six"
refused 1 "a language the form lacks is refused, with those it has" as v1 intake fill --form left-alone --lang mam
refused 2 "with several forms one must be named" as v1 intake fill
refused 1 "a draft is not dropped without a yes" sh -c "AMPARO_HOME=$home $BIN/amparo drafts drop 1 </dev/null"
claim "with one it is" as v1 drafts drop 1 --yes
refused 1 "there is none any more" as v1 intake fill --resume 1

# ---- from paper ----------------------------------------------------------------------------------------------------
cp "$photo" "$work/page 1.jpg"
printf '%s\n' "20 nov 2026" "Ruth Álvarez" "'$work/page 1.jpg'" "" 1 "Del papel" "19 nov 2026" \
	.review submit "" >"$work/paper"
tty "$work/paper" "$work/seven" -- intake fill --form left-alone --from-paper --lang en
same "a paper form is typed in and sealed" $? 0
has "asked for its day" 'On which day was' "$work/seven"
code_paper=$(code_in "$work/seven")
printf '%s\n' hoy "" "" no "" sí 1 "Sin escaneo" .revisar enviar "" >"$work/paper2"
tty "$work/paper2" "$work/eight" -- intake fill --form left-alone --from-paper --lang es
same "without a scan only after a clear yes" $? 0
same "which was asked for each time" "$(tr '\n' ' ' <"$work/eight" | grep -o '¿Seguir *sin él' | wc -l)" 2
claim "they are sent" as v1 sync
claim "released" as ruth release
claim "fetched" as ana sync --yes
claim "the paper one is exported" as ana export "$code_paper" --to "$work/x3"
has "with who typed it in" '"transcriber": *"Ruth Álvarez"' <(cat "$work"/x3/*/*.json)
has "the day of the visit" '2026-11-20' <(cat "$work"/x3/*/*.json)
claim "and the scan" sh -c "cmp '$photo' '$work'/x3/*/'page 1.jpg'"
claim "what was cut off and gone on with arrived too" as ana show "$code_three"
claim "and what was killed before the slip" as ana show "$code_four"
claim "and what had no room" as ana attachments "$code_full" --to "$work/x4"
claim "photograph and all" sh -c "cmp '$photo' \"\$(find '$work/x4' -name 'nta hoja 1.jpg')\""

# ---- a submission is held against its form ----------------------------------------------------------------------------
sed 's,<name>.*</name>,<name/>,; s,<age>9</age>,<age>40</age>,' "$(ls "$work"/x1/*/submission.xml)" >"$work/bad.xml"
refused 1 "a submission with holes is refused" as v1 intake submit --instance "$work/bad.xml" --attach "$photo"
cp "$work/err" "$work/faults"
for s in 'Question 2 "Name of the person" must be' 'Question 7 "Age in years"' 'in "Child" 1: Write the age'; do
	claim "said: $s" sh -c "tr '\n' ' ' <'$work/faults' | sed 's/  */ /g' | grep -qF -- '$s'"
done
refused 1 "and in Spanish" as v1 intake submit --instance "$work/bad.xml" --attach "$photo" --lang es
cp "$work/err" "$work/faults"
claim "said: La pregunta 2" sh -c "tr '\n' ' ' <'$work/faults' | sed 's/  */ /g' | grep -q 'La pregunta 2 «Nombre de la persona» debe'"
claim "the same one without holes is sealed" as v1 intake submit --instance "$(ls "$work"/x1/*/submission.xml)" --attach "$photo"
finish
