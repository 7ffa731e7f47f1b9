/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * exporting: cases as plain files.  From then on nothing protects them, which is said before
 * and has to be agreed to.
 *
 * The core gives the files in parts; they go into one zip, or out one by one.  What was
 * collected is dropped when it is done, stopped, or the dialog closes.
 */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call } from '../core';
import { count, lang as pageLang, langName, t, tn } from '../i18n';
import { dayToIso, type ExportKind, type RecordId } from '../ops';
import { Banner, Button, Choices, Dialog, Progress, say, Select, Switch } from '../ui';
import { saveFile } from './blobs';
import { deskFault } from './words';
import { zipParts, type ZipFile } from './zip';

/* more single files than this the browser would ask about one by one */
const SINGLE_MAX = 20;

export interface ExportScope {
	/* the case on the screen */
	one: { record: RecordId; code: string } | null;
	chosen: readonly RecordId[];
	/* all cases here */
	total: number;
}

type Scope = 'one' | 'chosen' | 'all';

export function ExportDialog(p: { scope: ExportScope; today: number; langs: readonly { code: string; name: string }[]; onClose: () => void }): JSX.Element {
	const first: Scope = p.scope.chosen.length > 0 ? 'chosen' : p.scope.one ? 'one' : 'all';
	const [scope, setScope] = useState<Scope>(first);
	const [kind, setKind] = useState<ExportKind>('folders');
	const [lang, setLang] = useState<string>(pageLang());
	const [labels, setLabels] = useState(true);
	const [split, setSplit] = useState(false);
	const [single, setSingle] = useState(false);
	const [agreed, setAgreed] = useState(false);
	const [at, setAt] = useState<{ at: number; of: number } | null>(null);
	const [done, setDone] = useState<string[] | null>(null);
	const [fault, setFault] = useState<string | null>(null);
	const stop = useRef(false);
	const running = useRef(false);
	useEffect(() => () => {
		stop.current = true;
		if (running.current)
			call('export_end', {}).catch(() => undefined);
	}, []);

	const of = scope === 'one' ? 1 : scope === 'chosen' ? p.scope.chosen.length : p.scope.total;
	const scopes = [
		...(p.scope.one ? [{ value: 'one', label: t('export.one_case', { code: p.scope.one.code }) }] : []),
		...(p.scope.chosen.length > 0 ? [{ value: 'chosen', label: tn('export.chosen', p.scope.chosen.length) }] : []),
		{ value: 'all', label: tn('export.all', p.scope.total) },
	];
	const kinds: { value: ExportKind; label: string; detail: string }[] = [
		{ value: 'folders', label: t('export.folders'), detail: t('export.folders_text') },
		{ value: 'tables', label: t('export.tables'), detail: t('export.tables_text') },
		{ value: 'json', label: t('export.json'), detail: t('export.json_text') },
		...(scope === 'one' ? [{ value: 'attachments' as const, label: t('export.attachments'), detail: t('export.attachments_text') }] : []),
	];

	const run = async (): Promise<void> => {
		if (!agreed) {
			setFault(t('export.agree_first'));
			return;
		}
		setFault(null);
		const records = scope === 'one' && p.scope.one ? [p.scope.one.record] : scope === 'chosen' ? [...p.scope.chosen] : null;
		let files: ZipFile[] = [];
		const missing: string[] = [];
		let unreadable = 0;
		try {
			running.current = true;
			const begun = await call('export_begin', { records, kind, lang, labels: kind === 'tables' && labels, split: kind === 'tables' && split });
			setAt({ at: 0, of: begun.of });
			for (;;) {
				const part = await call('export_next', {});
				if (stop.current)
					return;
				files.push(...part.files);
				missing.push(...part.missing.map((m) => `${m.code}: ${m.name}`));
				unreadable += part.n_unreadable;
				setAt({ at: part.at, of: part.of });
				if (part.done)
					break;
			}
			running.current = false;
			const name = `amparo-${scope === 'one' && p.scope.one ? p.scope.one.code : dayToIso(p.today)}`;
			const [only] = files;
			if (files.length === 1 && only && (single || kind === 'json'))
				saveFile(leaf(only.name), [only.bytes], mediaOf(only.name));
			else if (single && files.length <= SINGLE_MAX)
				for (const f of files)
					saveFile(leaf(f.name), [f.bytes], mediaOf(f.name));
			else
				saveFile(`${name}.zip`, zipParts(files, new Date()), 'application/zip');
			const told = [tn('export.done', files.length)];
			if (single && files.length > SINGLE_MAX) told.push(t('export.too_many_single', { n: count(SINGLE_MAX) }));
			if (begun.n_kept > 0) told.push(tn('export.kept', begun.n_kept));
			if (unreadable > 0) told.push(tn('export.unreadable', unreadable));
			if (missing.length > 0) told.push(`${tn('export.missing', missing.length)} ${missing.slice(0, 10).join(', ')}`);
			say(told[0] ?? '');
			setDone(told);
		} catch (e) {
			running.current = false;
			setFault(e instanceof RangeError ? t('export.too_large') : deskFault(e, 'export'));
		} finally {
			files = [];
			setAt(null);
		}
	};

	if (done) {
		return (
			<Dialog title={t('export.title')} onClose={p.onClose}
				actions={<Button kind="primary" onClick={p.onClose}>{t('common.done')}</Button>}>
				<Banner tone="good" title={done[0]}>{done.slice(1).map((d) => <p key={d}>{d}</p>)}</Banner>
				<p>{t('export.after')}</p>
			</Dialog>
		);
	}
	return (
		<Dialog title={t('export.title')} onClose={p.onClose} actions={
			<>
				<Button kind="danger" icon="save" busy={at !== null} disabled={of === 0} onClick={run}>{t('export.go')}</Button>
				<Button onClick={p.onClose}>{t('common.cancel')}</Button>
			</>
		}>
			{fault && <Banner tone="bad" title={fault} />}
			{at && <Progress label={t('export.running')} done={at.at} total={at.of} text={t('export.at', { at: count(at.at), of: count(at.of) })} />}
			<Banner tone="warn" title={t('export.warning_title')}>{t('export.warning')}</Banner>
			{scopes.length > 1 && (
				<Choices legend={t('export.which')} options={scopes} value={[scope]} onChange={(v) => {
					const to = (v[0] ?? 'all') as Scope;
					setScope(to);
					if (to !== 'one' && kind === 'attachments')
						setKind('folders');
				}} />
			)}
			<Choices legend={t('export.kind')} options={kinds} value={[kind]} onChange={(v) => setKind((v[0] ?? 'folders') as ExportKind)} />
			{kind === 'tables' && (
				<>
					{p.langs.length > 1 && (
						<Select label={t('export.lang')} value={lang} onChange={setLang}
							options={p.langs.map((l) => ({ value: l.code, label: langName(l.code, l.name) }))} />
					)}
					<Switch label={t('export.labels')} on={labels} onChange={setLabels} />
					<Switch label={t('export.split')} on={split} onChange={setSplit} />
				</>
			)}
			<Switch label={t('export.single')} hint={t('export.single_hint')} on={single} onChange={setSingle} />
			<Choices legend={t('export.warning_title')} hideLegend many value={agreed ? ['yes'] : []}
				options={[{ value: 'yes', label: t('export.agree') }]} onChange={(v) => setAgreed(v.length > 0)} />
		</Dialog>
	);
}

/* browsers take no folders: the last part of a name, with the folder before it */
function leaf(name: string): string {
	return name.replaceAll('/', '-');
}

function mediaOf(name: string): string {
	const end = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase();
	return end === 'csv' ? 'text/csv' : end === 'json' ? 'application/json' : end === 'xml' ? 'application/xml' : 'application/octet-stream';
}
