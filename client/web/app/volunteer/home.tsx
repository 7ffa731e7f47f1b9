/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * home: a volunteer's first screen.  What must not wait stands above (words to say, an
 * ended membership, a slip not done), then the one large button, then what is unfinished
 * and what waits to be sent.
 */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../core';
import { dayText, lang, langName, t, tn } from '../i18n';
import { back, go, isLowest, reset } from '../nav';
import type { Draft, Form } from '../ops';
import { refresh, syncByHand, useSession } from '../session';
import { Banner, Button, Confirm, Dialog, Choices, Empty, ErrorBanner, List, Page, Row, Switch, useFault,
	Waiting } from '../ui';
import { CallWords } from './compare';
import { InstallHint } from './install';
import { SendState } from './outbox';

export function Home(): JSX.Element {
	const { me, drafts, kiosk, sync, sync_error } = useSession();
	const [forms, setForms] = useState<Form[] | null>(null);
	const [chosen, setChosen] = useState<Form | null>(null);
	const [choosing, setChoosing] = useState(false);
	const [drop, setDrop] = useState<Draft | null>(null);
	const [left_over, setLeftOver] = useState<Draft | null>(null);
	const fault = useFault();
	const roster = me?.roster ?? 0;
	const running = sync?.running === true;
	/* whoever was confirmed meanwhile as one who reads begins at the desk from then on */
	useEffect(() => {
		if (me?.reads === true && isLowest())
			reset('desk', {});
	}, [me?.reads]);
	const shown = lang();
	useEffect(() => {
		void refresh().catch(() => undefined);
	}, []);
	/* anew when a roster came, when the language changed, and when a sync ended (keys) */
	useEffect(() => {
		if (running)
			return;
		void fault.try_('forms', async () => setForms((await call('forms', { lang: shown })).forms));
	}, [roster, running, shown, me?.desks.map((d) => d.trust).join()]);
	if (!me)
		return <Page title="Amparo"><Waiting /></Page>;

	const open = drafts.filter((d) => !d.is_sealed);
	const slips = drafts.filter((d) => d.is_sealed);
	/* nobody would receive what somebody who was revoked begins; what is begun can be finished and carried */
	const usable = (me.revoked > 0 ? [] : forms ?? []).filter((f) => f.ready !== 'not_here' && f.ready !== 'unreadable');
	const begin = (): void => {
		const rest = kiosk ? open[0] : undefined;
		if (rest)
			setLeftOver(rest);
		else if (usable.length === 1 && usable[0])
			setChosen(usable[0]);
		else
			setChoosing(true);
	};
	const remove = async (d: Draft): Promise<void> => {
		await fault.try_('draft_drop', async () => {
			await call('draft_drop', { draft: d.draft });
			await refresh();
		});
	};

	return (
		<Page title={me.organisation || 'Amparo'} onBack={me.reads ? back : undefined} tools={
			<Button kind="quiet" icon="settings" label={t('settings.title')} onClick={() => go('settings', {})} />
		}>
			{fault.banner}
			{me.revoked > 0 && <Banner tone="bad" title={t('home.revoked', { day: dayText(me.revoked) })}>{t('home.revoked_text')}</Banner>}
			{me.is_doubled && <Banner tone="bad" title={t('home.doubled')}>{t('home.doubled_text')}</Banner>}
			{me.roster === 0 && (
				<>
					<ErrorBanner error={sync_error} op="sync" />
					<Banner tone="warn" title={t('home.no_roster')}
						action={<Button icon="sync" onClick={syncByHand} busy={running}>{t('sync.connect')}</Button>}>
						{t('home.no_roster_text')}
					</Banner>
				</>
			)}
			{slips.map((d) => (
				<Banner key={d.draft} tone="warn" title={t('home.slip', { title: d.title })}
					action={<Button kind="primary" onClick={() => go('slip', { draft: d.draft })}>{t('home.slip_show')}</Button>}>
					{t('home.slip_text')}
				</Banner>
			))}
			{usable.length > 0 && (
				<Button kind="primary" big wide icon="plus" class="begin" onClick={begin}>{t('home.begin')}</Button>
			)}
			{me.words.length > 0 && <CallWords words={me.words} />}
			{forms !== null && forms.length === 0 && me.roster > 0 && (
				<Empty icon="form" title={t('home.no_forms')}><p>{t('home.no_forms_text')}</p></Empty>
			)}

			{open.length > 0 && (
				<section>
					<h2 class="section-title">{t('home.unfinished')}</h2>
					<List label={t('home.unfinished')}>
						{open.map((d) => (
							<Row key={d.draft} icon={d.is_paper ? 'file' : 'edit'}
								title={d.title}
								detail={[t('home.begun', { day: dayText(d.day) }), tn('home.answers', d.n_answers),
									d.n_files > 0 ? tn('home.files', d.n_files) : '',
									d.is_amendment ? t('home.amendment') : ''].filter(Boolean).join(' · ')}
								onClick={d.can_open && !d.is_amendment ? () => go('fill', { draft: d.draft }) : undefined}
								action={<Button kind="quiet" icon="trash"
									label={t('home.drop', { title: d.title })} onClick={() => setDrop(d)} />} />
						))}
					</List>
				</section>
			)}

			<SendState />

			{usable.length > 0 && (
				<section>
					<h2 class="section-title">{t('home.forms')}</h2>
					<FormList forms={forms ?? []} onPick={(f) => {
						const rest = kiosk ? open[0] : undefined;
						if (rest)
							setLeftOver(rest);
						else
							setChosen(f);
					}} />
				</section>
			)}
			{!kiosk && <InstallHint />}

			{choosing && (
				<Dialog title={t('home.which')} onClose={() => setChoosing(false)}>
					<FormList forms={usable} onPick={(f) => {
						setChoosing(false);
						setChosen(f);
					}} />
				</Dialog>
			)}
			{chosen && <Begin form={chosen} onClose={() => setChosen(null)} />}
			{drop && (
				<Confirm title={t('home.drop_title')} danger yes={t('home.drop_yes')} onNo={() => setDrop(null)}
					onYes={async () => {
						await remove(drop);
						setDrop(null);
					}}>
					<p>{t('home.drop_text', { title: drop.title, day: dayText(drop.day) })}</p>
				</Confirm>
			)}
			{left_over && (
				<Dialog title={t('kiosk.left_title')} onClose={() => setLeftOver(null)} actions={
					<>
						<Button kind="primary" onClick={() => go('fill', { draft: left_over.draft })}>{t('kiosk.left_go')}</Button>
						<Button kind="danger" onClick={async () => {
							await remove(left_over);
							setLeftOver(null);
						}}>{t('kiosk.left_drop')}</Button>
					</>
				}>
					<p>{t('kiosk.left_text')}</p>
				</Dialog>
			)}
		</Page>
	);
}

/* why a form cannot be sealed, or opened, right now; null: it can */
function hindrance(f: Form): string | null {
	return f.ready === 'ok' ? null : t(`form_ready.${f.ready}`);
}

function FormList(p: { forms: readonly Form[]; onPick: (f: Form) => void }): JSX.Element {
	return (
		<List label={t('home.forms')}>
			{p.forms.map((f) => {
				const why = hindrance(f);
				const shut = f.ready === 'not_here' || f.ready === 'unreadable';
				const about = [f.desk_name, f.langs.map((l) => langName(l.code, l.name)).join(', '),
					f.n_questions > 0 ? tn('home.questions', f.n_questions) : ''].filter(Boolean).join(' · ');
				return (
					<Row key={f.id} icon="form" title={f.title} detail={<>{about}{why && <><br /><span class="row-warn">{why}</span></>}</>}
						onClick={shut ? undefined : () => p.onPick(f)} />
				);
			})}
		</List>
	);
}

/* Before the first question: in which language, and whether from paper. */
function Begin(p: { form: Form; onClose: () => void }): JSX.Element {
	const f = p.form;
	const [in_lang, setLang] = useState(f.lang);
	const [paper, setPaper] = useState(false);
	const why = hindrance(f);
	return (
		<Dialog title={f.title} onClose={p.onClose} actions={
			<>
				<Button kind="primary" onClick={() => go('fill', { form: f.id, lang: in_lang, paper })}>{t('begin.go')}</Button>
				{f.ready === 'untrusted' && (
					<Button onClick={() => go('desk_words', { desk: f.desk })}>{t('desk_words.compare')}</Button>
				)}
			</>
		}>
			{why && <Banner tone="warn" title={why}>{t('begin.not_sealed')}</Banner>}
			<p>{f.desk_name !== '' && t('begin.to', { desk: f.desk_name })} {f.n_holders > 0 && tn('begin.readers', f.n_holders)}</p>
			{f.langs.length > 1 && (
				<Choices legend={t('begin.language')} columns value={[in_lang]}
					options={f.langs.map((l) => ({ value: l.code, label: <span lang={l.code}>{langName(l.code, l.name)}</span> }))}
					onChange={(v) => setLang(v[0] ?? in_lang)} />
			)}
			<Switch label={t('begin.paper')} hint={t('begin.paper_hint')} on={paper} onChange={setPaper} />
			<p class="quiet-text small">{t('begin.blank')}</p>
		</Dialog>
	);
}
