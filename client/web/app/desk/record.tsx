/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * record: one case: what matters first (why it is urgent, what is due), then what can be
 * done, the interview, the photographs, corrections, and what happened since.
 *
 * Nothing of it is kept when it is left: the answers are this component's state, and the
 * pictures' addresses are revoked with it.
 */
import type { JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { call } from '../core';
import { dayText, lang as pageLang, langName, t, tn } from '../i18n';
import type { CaseEvent, CasePerson, CaseShow, Consent, RecordId } from '../ops';
import { Badge, Banner, Button, Icon, say, Select, Switch, Waiting } from '../ui';
import { ActDialog, actsOf, type Act } from './actions';
import { Answers, Corrections } from './answers';
import { marksOf } from './list';
import { isPicture, Thumb, usePhotos, Viewer } from './photos';
import { deskFault, dueText, hasIt, nameOf, personText, titleOf } from './words';

export interface RecordProps {
	record: RecordId;
	/* rises when the vault may have changed */
	stamp: number;
	today: number;
	/* beside the list: then Escape and a button close it */
	onClose: () => void;
	/* it left the device, or is not here: the sentence is told on the list */
	onGone: (sentence: string) => void;
	/* something was said: the list is not up to date */
	onChanged: () => void;
	onExport: () => void;
}

export function RecordView(p: RecordProps): JSX.Element {
	const [show, setShow] = useState<CaseShow | null>(null);
	const [fault, setFault] = useState<string | null>(null);
	const [lang, setLang] = useState<string>(pageLang());
	const [empty, setEmpty] = useState(false);
	const [act, setAct] = useState<Act | null>(null);
	const [done, setDone] = useState('');
	const [picture, setPicture] = useState<string | null>(null);
	const head = useRef<HTMLHeadingElement>(null);
	const focused = useRef(false);
	const left = useRef(false);
	useEffect(() => () => {
		left.current = true;
	}, []);

	const load = useCallback(async (): Promise<void> => {
		try {
			const s = await call('case_show', { record: p.record, lang, empty });
			if (left.current)
				return;
			setShow(s);
			setFault(null);
		} catch (e) {
			const { code, why } = e as { code?: unknown; why?: unknown };
			/* another case is on the screen meanwhile */
			if (left.current)
				return;
			if (code === 'notfound')
				p.onGone(t('record.gone'));
			else if (code === 'refused' && why === 'recused')
				p.onGone(t('desk.recused_closed'));
			else if (code !== 'locked')
				setFault(deskFault(e, 'case_show'));
		}
	}, [p.record, lang, empty]);
	useEffect(() => {
		void load();
	}, [load, p.stamp]);
	useEffect(() => {
		/* at first; and when the button that was pressed is gone with what it did */
		if (show && (!focused.current || document.activeElement === document.body)) {
			focused.current = true;
			head.current?.focus({ preventScroll: true });
		}
	}, [show]);
	const photos = usePhotos(p.record, show?.attachments ?? []);

	if (!show)
		return <div class="record">{fault ? <Banner tone="bad" title={fault} /> : <Waiting />}</div>;
	const r = show.row;
	const loading = show.attachments.some((a) => a.here && !photos.has(a.id));
	const pictures = show.attachments.filter((a) => {
		const one = photos.get(a.id);
		return one !== null && one !== undefined && isPicture(one.media);
	});
	const finished = (sentence: string, gone: boolean): void => {
		const recused = act?.act === 'recuse';
		setAct(null);
		say(sentence);
		p.onChanged();
		/* who has recused themselves reads no further, also where the desk's copy stays */
		if (gone || recused) {
			p.onGone(sentence);
			return;
		}
		setDone(sentence);
		void load();
	};

	return (
		<article class="record" aria-labelledby="record-title">
			<header class="record-head">
				<p class="record-code">{r.code}</p>
				<h2 id="record-title" class="record-title" tabIndex={-1} ref={head}>{titleOf(r)}</h2>
				<div class="line record-marks">
					{r.urgent && <Badge tone="bad">{t('desk.urgent')}</Badge>}
					<Badge tone={r.state === 'closed' ? 'plain' : 'accent'}>{t(`case_state.${r.state}`)}</Badge>
					{marksOf(r).map((m) => <Badge key={m} tone="warn">{m}</Badge>)}
				</div>
				<p class="small quiet-text">
					{t(r.alone ? 'record.correction_of' : 'record.interview_of', { day: dayText(r.day), who: nameOf(show.who) })}
					{' · '}{t('record.received', { day: dayText(r.received) })}
					{r.desk_name !== '' && <> · {t('record.desk', { desk: r.desk_name })}</>}
					{show.form_title !== '' && <> · {show.form_title} {show.form_version}</>}
				</p>
			</header>

			{fault && <div class="no-print"><Banner tone="bad" title={fault} /></div>}
			{done !== '' && <div class="no-print"><Banner tone="good" title={done} /></div>}
			<Warnings show={show} today={p.today} />
			<div class="record-tools no-print">
				<div class="line">
					{actsOf(show).map((a) => (
						<Button key={a.act} kind={a.main ? 'primary' : 'plain'} icon={a.icon}
							onClick={() => {
								setDone('');
								setAct({ act: a.act, whom: null });
							}}>{t(`act.${a.act}`)}</Button>
					))}
					<Button icon="save" onClick={p.onExport}>{t('export.button')}</Button>
					<Button icon="print" busy={loading} onClick={printNow}>{t('record.print')}</Button>
				</div>
			</div>

			<People list={show.people} may={show.may.unassign} onTakeBack={(whom) => setAct({ act: 'unassign', whom })} />

			<section class="record-part" aria-labelledby="record-answers">
				<h2 id="record-answers" class="section-title">{t('record.answers')}</h2>
				<div class="record-reading no-print">
					{show.langs.length > 1 && (
						<Select label={t('record.language')} value={show.lang}
							options={show.langs.map((l) => ({ value: l.code, label: langName(l.code, l.name) }))} onChange={setLang} />
					)}
					<Switch label={t('record.empty')} on={empty} onChange={setEmpty} />
				</div>
				{show.form_title === '' && <Banner tone="info" title={t('record.no_form')} />}
				{show.interviews.map((i, k) => (
					<div key={k}>
						{k > 0 && <Banner tone="warn" title={t('record.another', { day: dayText(i.day), who: nameOf(i.who) })} />}
						{i.transcriber !== '' && <p class="small quiet-text">{t('record.paper', { who: i.transcriber })}</p>}
						<Answers interview={i} lang={show.lang} attachments={show.attachments} photos={photos} onPhoto={setPicture} />
					</div>
				))}
				{show.interviews.length === 0 && <Banner tone="info" title={t('record.alone')} />}
			</section>

			{show.attachments.length > 0 && (
				<section class="record-part" aria-labelledby="record-files">
					<h2 id="record-files" class="section-title">{tn('record.files', show.attachments.length)}</h2>
					<div class="thumbs">
						{show.attachments.map((a) => <Thumb key={a.id} a={a} photo={photos.get(a.id)} onOpen={() => setPicture(a.id)} />)}
					</div>
				</section>
			)}

			{show.corrections.length > 0 && (
				<section class="record-part" aria-labelledby="record-corrections">
					<h2 id="record-corrections" class="section-title">{t('record.corrections')}</h2>
					<Corrections list={show.corrections} lang={show.lang} />
				</section>
			)}

			<section class="record-part" aria-labelledby="record-events">
				<h2 id="record-events" class="section-title">{t('record.events')}</h2>
				{show.events.length === 0
					? <p class="quiet-text">{t('record.no_events')}</p>
					: <ol class="events">{show.events.map((e, i) => <Event key={i} e={e} />)}</ol>}
			</section>
			<p class="print-only print-foot">{t('record.print_foot', { code: r.code })}</p>

			{act && <ActDialog show={show} act={act} onClose={() => setAct(null)} onDone={finished} />}
			{picture && (
				<Viewer record={p.record} list={pictures} photos={photos} at={picture} onAt={setPicture} onClose={() => setPicture(null)} />
			)}
		</article>
	);
}

/* on paper only pictures that are drawn are seen */
async function printNow(): Promise<void> {
	await Promise.allSettled([...document.querySelectorAll<HTMLImageElement>('.record img')].map((i) => i.decode()));
	window.print();
}

/* ---- what must be seen first -------------------------------------------------------------- */

function Warnings(p: { show: CaseShow; today: number }): JSX.Element {
	const { show } = p;
	const r = show.row;
	return (
		<>
			{show.urgent.length > 0 && (
				<Banner tone="bad" title={t('record.urgent_because')}>
					<ul class="plain-list">
						{show.urgent.map((u, i) => <li key={i}>{u.label}{u.shown !== '' && <>{/[?:.]$/.test(u.label) ? ' ' : ': '}<strong>{u.shown}</strong></>}</li>)}
					</ul>
				</Banner>
			)}
			{show.due.length > 0 && (
				<Banner tone={show.due.some((d) => d.overdue) ? 'warn' : 'info'} title={t('record.due')}>
					<ul class="plain-list">
						{show.due.map((d, i) => <li key={i}><strong>{dueText(d, p.today)}</strong>{d.label !== '' && <>: {d.label}</>}</li>)}
					</ul>
				</Banner>
			)}
			{r.n_conflicts > 0 && <Banner tone="warn" title={tn('record.conflicts', r.n_conflicts)}>{t('record.conflicts_text')}</Banner>}
			{r.twice && <Banner tone="warn" title={t('record.twice')} />}
			{r.pending && <Banner tone="warn" title={t('record.pending')} />}
			{show.from && (
				<Banner tone="info" title={t('record.from', { day: dayText(show.from.day), who: nameOf(show.from.who), desk: show.from.desk_name })}>
					<ConsentText c={show.from.consent} />
				</Banner>
			)}
			{show.hold > 0 && <Banner tone="info" title={t('record.hold', { day: dayText(show.hold) })} />}
			{show.erasing && (
				<Banner tone="warn" title={show.erasing.state === 'ordered' && show.erasing.due > 0
					? t('record.erase_ordered', { day: dayText(show.erasing.due), who: show.erasing.by ? nameOf(show.erasing.by) : '' })
					: t(show.erasing.state === 'kept' ? 'record.erase_kept' : 'record.erase_asked')} />
			)}
		</>
	);
}

function ConsentText(p: { c: Consent }): JSX.Element {
	return (
		<>
			<p>{t('record.consent', { day: dayText(p.c.day), who: p.c.by })}</p>
			<blockquote class="consent" lang={p.c.language === '' ? undefined : p.c.language}>{p.c.text}</blockquote>
		</>
	);
}

function People(p: { list: readonly CasePerson[]; may: boolean; onTakeBack: (who: CasePerson) => void }): JSX.Element | null {
	if (p.list.length === 0)
		return null;
	return (
		<section class="record-part" aria-labelledby="record-people">
			<h2 id="record-people" class="section-title">{t('record.people')}</h2>
			<ul class="people">
				{p.list.map((who) => (
					<li key={`${who.key}${who.since}`} class="line spread">
						<span>
							{personText(who)}
							{who.state === 'offered' && who.answer_by > 0 && <> · {t('record.answer_by', { day: dayText(who.answer_by) })}</>}
						</span>
						{p.may && hasIt(who.state) && !who.me && (
							<Button kind="quiet" class="no-print" label={t('act.unassign_from', { who: nameOf(who) })}
								onClick={() => p.onTakeBack(who)}>{t('act.unassign')}</Button>
						)}
					</li>
				))}
			</ul>
		</section>
	);
}

function eventHead(e: CaseEvent): string {
	const whom = e.whom ? nameOf(e.whom) : '';
	if (e.kind === 'assigned')
		return t(e.role === 'interpreter' ? 'event.assigned_interpreter' : 'event.assigned', { whom });
	if (e.kind === 'unassigned')
		return t('event.unassigned', { whom });
	if (e.kind === 'referred')
		return t('event.referred', { desk: e.desk_name });
	return t(`event.${e.kind}`);
}

function Event(p: { e: CaseEvent }): JSX.Element {
	const { e } = p;
	return (
		<li class={`event is-${e.kind}`}>
			<Icon name={e.kind === 'note' ? 'note' : e.kind === 'accepted' ? 'check' : 'next'} size={20} />
			<div class="event-body">
				<p>
					<strong>{nameOf(e.who)}</strong>{!e.enrolled && <> <Badge tone="warn">{t('record.not_enrolled')}</Badge></>}
					{' '}{eventHead(e)}{' '}<span class="quiet-text small">{dayText(e.day)}</span>
				</p>
				{!e.counts && <p class="small quiet-text">{t('event.not_theirs')}</p>}
				{e.text !== '' && <p class="event-text">{e.text}</p>}
				{e.consent && <ConsentText c={e.consent} />}
			</div>
		</li>
	);
}
