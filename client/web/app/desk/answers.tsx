/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * answers: an interview as it stands: the form's words, what was answered, and under each
 * answer that was corrected by whom, and what was said at first.
 *
 * Groups and repeats are headings.  They begin at h3, below "Interview", and go no deeper
 * than h6; the depth is shown by an edge as well.
 */
import type { ComponentChildren, JSX } from 'preact';
import { dayText, t } from '../i18n';
import type { CaseAnswer, CaseAttachment, CaseInterview, Changed, Correction } from '../ops';
import { Badge, Banner, Icon } from '../ui';
import { Thumb, type Photos } from './photos';
import { changedText, nameOf, saidText } from './words';

export interface AnswersProps {
	interview: CaseInterview;
	lang: string;
	attachments: readonly CaseAttachment[];
	photos: Photos;
	onPhoto: (id: string) => void;
}

function Heading(p: { depth: number; children: ComponentChildren }): JSX.Element {
	switch (Math.min(p.depth, 3)) {
	case 0: return <h3 class="answer-group">{p.children}</h3>;
	case 1: return <h4 class="answer-group">{p.children}</h4>;
	case 2: return <h5 class="answer-group">{p.children}</h5>;
	default: return <h6 class="answer-group">{p.children}</h6>;
	}
}

function Change(p: { c: Changed }): JSX.Element {
	const { c } = p;
	const split = c.how === 'conflict' || c.how === 'doubt';
	return (
		<div class={`changed ${split ? 'split' : ''}`}>
			<p class="changed-head"><Icon name={split ? 'warning' : 'edit'} size={18} /><span>{changedText(c)}</span></p>
			{split && (
				<ul class="changed-said">
					{c.said.map((s, i) => (
						<li key={i}><strong>{saidText(s.shown)}</strong> <span class="quiet-text">{nameOf(s.who)}, {dayText(s.day)}</span></li>
					))}
				</ul>
			)}
			{c.how !== 'added' && (
				<p class="small quiet-text">{c.before === '' ? t('changed.before_blank') : t('changed.before', { what: c.before })}</p>
			)}
		</div>
	);
}

/* the rows between two headings stand in one list of terms */
type Part = { heading: CaseAnswer | null; rows: CaseAnswer[]; key: number };

function partsOf(answers: readonly CaseAnswer[]): Part[] {
	const parts: Part[] = [];
	let now: Part | null = null;
	answers.forEach((a, key) => {
		if (a.kind === 'group' || a.kind === 'repeat') {
			now = { heading: a, rows: [], key };
			parts.push(now);
		} else if (a.kind !== 'note') {
			if (!now || (now.heading && a.depth <= now.heading.depth)) {
				now = { heading: null, rows: [], key };
				parts.push(now);
			}
			now.rows.push(a);
		}
	});
	return parts;
}

export function Answers(p: AnswersProps): JSX.Element {
	const { interview } = p;
	/* what is the form's is in its language, what is ours in the page's */
	const lang = p.lang === '' ? undefined : p.lang;
	if (interview.raw !== '')
		return <><Banner tone="warn" title={t('record.unreadable')} /><pre class="raw">{interview.raw}</pre></>;
	return (
		<div class="answers">
			{partsOf(interview.answers).map((part) => (
				<section key={part.key} class={`answer-part depth-${Math.min(part.heading?.depth ?? 0, 3)}`}>
					{part.heading && (
						<Heading depth={part.heading.depth}>
							<span lang={lang}>{part.heading.label}</span>
							{part.heading.kind === 'repeat' && (
								<> <span class="quiet-text">{t('record.of', { i: part.heading.index, n: part.heading.of })}</span></>
							)}
							{part.heading.changed && <Change c={part.heading.changed} />}
						</Heading>
					)}
					{part.rows.length > 0 && (
						<dl>
							{part.rows.map((a, i) => <Answer key={i} a={a} {...p} />)}
						</dl>
					)}
				</section>
			))}
			{interview.taken.length > 0 && (
				<section class="answer-part">
					<h3 class="answer-group">{t('record.taken')}</h3>
					<dl>
						{interview.taken.map((x, i) => (
							<div class="answer" key={i}><dt lang={lang}>{x.label === '' ? x.path : x.label}</dt><dd><Change c={x.changed} /></dd></div>
						))}
					</dl>
				</section>
			)}
			{interview.faults.length > 0 && (
				<Banner tone="warn" title={t('record.faults')}>
					<ul class="plain-list">{interview.faults.map((f, i) => <li key={i} lang={lang}>{f}</li>)}</ul>
				</Banner>
			)}
		</div>
	);
}

function Answer(p: AnswersProps & { a: CaseAnswer }): JSX.Element {
	const { a } = p;
	const lang = p.lang === '' ? undefined : p.lang;
	const file = a.file === null ? undefined : p.attachments.find((x) => x.id === a.file);
	return (
		<div class="answer">
			<dt lang={lang}>{a.label}</dt>
			<dd>
				{file
					? <Thumb a={file} photo={p.photos.get(file.id)} onOpen={() => p.onPhoto(file.id)} />
					: a.shown === ''
						? <span class="quiet-text">{t('record.no_answer')}</span>
						: <span class="answer-text" lang={lang}>{a.shown}</span>}
				{a.changed && <Change c={a.changed} />}
				{a.anew && !a.changed && <p class="small quiet-text">{t('record.anew')}</p>}
			</dd>
		</div>
	);
}

/* What was sent in afterwards, and what became of each word of it. */
export function Corrections(p: { list: readonly Correction[]; lang: string }): JSX.Element {
	return (
		<>
			{p.list.map((c, i) => (
				<div class="correction" key={i}>
					<h3 class="answer-group">
						{t('record.correction_by', { day: dayText(c.day), who: nameOf(c.who) })}
						{!c.enrolled && <> <Badge tone="warn">{t('record.not_enrolled')}</Badge></>}
					</h3>
					<dl lang={p.lang === '' ? undefined : p.lang}>
						{c.changes.map((x, k) => (
							<div class="answer" key={k}>
								<dt>{x.label === '' ? x.path : x.label}</dt>
								<dd>
									<span class="answer-text">{saidText(x.value)}</span>
									{x.fate !== 'counts' && <p class="small quiet-text">{t(`fate.${x.fate}`)}</p>}
								</dd>
							</div>
						))}
					</dl>
				</div>
			))}
		</>
	);
}
