# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2030,SC2031 # each test is a subshell of its own, and wants to be
# The forms of report that e3defrag writes to files: valid by their own judges, and all tell the
# same as the text.

T=/tmp/reports
load tool

setup_file() {
	use_tool
	mkdir -p "$T/out"
	mount_aged aged 24M 6 1024 -b 1024
	mv "$H/files/f03" "$H/files/<img src=x onerror=alert(1)>"
	mv "$H/files/f05" "$H/files/"$'new\nline, "quoted" \xff\xc3\xa4'
	umount "$H"
}

setup() {
	mount_copy aged relatime
}

teardown() {
	umount "$H"
	rm -rf "$T/out"
	mkdir "$T/out"
}

# All forms at once, valid each; the text is in $output.
reported() {
	run -0 --separate-stderr e3defrag "$@" --json="$T/out/json" --csv="$T/out/csv" \
		--prometheus="$T/out/e3defrag.prom" --html="$T/out/page" "$H"
	[ -z "$stderr" ]
	# nothing is left of their beginnings
	[ "$(cd "$T/out" && echo .[!.]* *)" = ".[!.]* csv e3defrag.prom json page" ]
	python3 -W ignore -m jsonschema -i "$T/out/json" man/e3defrag-report.schema.json
	promtool check metrics <"$T/out/e3defrag.prom"
	[ -z "$(promtool check metrics <"$T/out/e3defrag.prom" 2>&1)" ]
	printf '%s\n' "$output" >"$T/text"
	python3 - "$T/out" "$T/text" "$H" <<-'EOF'
	import csv, json, re, sys
	out, text, host = sys.argv[1], open(sys.argv[2], encoding='utf-8').read(), sys.argv[3]
	report = json.load(open(out + '/json', encoding='utf-8'))
	fs, = report['filesystems']
	rows = list(csv.DictReader(open(out + '/csv', encoding='utf-8', newline='')))
	prom = {}
	for line in open(out + '/e3defrag.prom', encoding='utf-8'):
	    if not line.startswith('#'):
	        name, labels, value = re.fullmatch(r'e3defrag_(\w+)(\{.*\})? (.*)\n', line).groups()
	        more = re.search(r',(?:outcome|reason)="([^"]*)"', labels or '')
	        prom[name, more and more[1]] = float(value)
	def found(pattern):
	    match = re.search(pattern, text)
	    assert match, pattern
	    return [int(group) for group in match.groups()]
	def same(what, *values):
	    print('#', what, *values)
	    assert len(values) > 1 and len(set(values)) == 1, what
	b, a, size = fs['before'], fs['after'], fs['block_size']
	same('before', (b['files'], b['fragmented_files']),
	     tuple(found(r'mapped by blocks (\d+), fragmented (\d+)')))
	same('fragments', (b['fragments'], b['best_fragments'], b['fiemap_extents'], b['blocks']),
	     tuple(found(r'now (\d+), best (\d+) \(FIEMAP counts (\d+) extents\), in (\d+) blocks')))
	same('files', a['files'], len(rows), prom['files', None])
	same('fragmented', a['fragmented_files'], sum(int(r['fragments']) > 1 for r in rows),
	     prom['fragmented_files', None])
	same('fragments', a['fragments'], sum(int(r['fragments']) for r in rows),
	     prom['fragments', None])
	same('fragments before', b['fragments'], sum(int(r['fragments_before']) for r in rows))
	same('moved', fs['moved_blocks'], prom['moved_bytes', None] / size)
	same('score', a['score'], round(100 * prom['score_ratio', None]))
	same('score before', b['score'], found(r'Score: (\d+), ')[0])
	same('bytes', a['blocks'] * size, prom['mapped_bytes', None])
	f = fs['free_before']
	same('free', (f['blocks'], f['runs']), tuple(found(r'Free space: (\d+) blocks .* in (\d+) runs')))
	same('longest', f['longest_run_blocks'], found(r'Longest run: (\d+)')[0])
	for key in 'blocks', 'runs':
	    same('histogram', sum(c[key] for c in f['histogram']), f[key])
	for c in f['histogram']:
	    found(r'\n +(?:%d - %d|1) +%d +%d ' % (c['from_blocks'], c['to_blocks'], c['runs'], c['blocks']))
	f = fs['free_after']
	same('free after', f['blocks'] * size, prom['free_bytes', None])
	same('free runs after', f['runs'], prom['free_runs', None])
	for outcome, count in fs['outcomes'].items():
	    same(outcome, count, prom['outcome_files', outcome])
	same('all', sum(fs['outcomes'].values()), fs['files'])
	alone = {(r['reason'], r['files']) for r in fs['left_alone']}
	same('alone', alone and tuple(sorted(alone)),
	     tuple(sorted((k[1], v) for k, v in prom.items() if k[0] == 'left_alone_files')))
	for r in fs['left_alone']:
	    if report['mode'] == 'check' or r['files']:
	        found(r'\n +%d  %s\n' % (r['files'], re.escape(r['text'])))
	same('status', report['status'], fs['status'], prom['run_exit_status', None], 0)
	if report['mode'] == 'defragment':
	    same('run', tuple(fs['outcomes'][k] for k in ('improved', 'partly', 'failed')),
	         tuple(found(r'Files improved: (\d+), partly: (\d+), failed: (\d+)')))
	    same('moved', fs['moved_blocks'], found(r'Blocks moved: (\d+)')[0])
	    same('free', (fs['free_before']['blocks'], f['blocks']),
	         tuple(found(r'\nfree blocks +(\d+) +(\d+)')))
	    same('score', (b['score'], a['score']), tuple(found(r'\nscore +(\d+) +(\d+)')))
	    assert a['fragments'] < b['fragments']
	    assert fs['moved_blocks'] > 0 < sum(int(r['moves']) for r in rows)
	by_inode = {int(r['inode']): r for r in rows}
	for file in fs['listed']:
	    row = by_inode[file['inode']]
	    for key in 'path', 'bytes', 'blocks', 'fragments_before', 'fragments', 'best_fragments', \
	            'score', 'moves', 'outcome':
	        same(key, str(file[key]), row[key])
	    found(r'\n +%d +%d +%d .*  %s\n' % (file['fragments_before'], file['best_fragments'],
	          file['fiemap_extents'] if report['mode'] != 'defragment' else
	          found(r'\n +\d+ +\d+ +(\d+) .*  %s\n' % re.escape(file['path']))[0],
	          re.escape(file['path'])))
	# the hostile name, byte by byte
	name, = [f['path'] for f in fs['listed'] if 'quoted' in f['path']]
	real = re.sub(rb'\\([0-7]{3})', lambda m: bytes([int(m[1], 8)]), name.encode())
	same('name', real, host.encode() + b'/files/new\nline, "quoted" \xff\xc3\xa4')
	# the page: as strict as XML, so that no name can have become markup
	import xml.etree.ElementTree
	source = open(out + '/page', encoding='utf-8').read()
	page = xml.etree.ElementTree.fromstring(source)
	assert "default-src 'none'" in source
	for word in '://', 'url(', 'href', '<script', '<img', '<link':
	    assert word not in source, word
	text_of = lambda element: ''.join(element.itertext())
	rows = {}
	for tr in page.iter('tr'):
	    cells = [text_of(cell) for cell in tr]
	    rows.setdefault(cells[0], []).append(cells[1:])
	for file in fs['listed']:
	    row, = rows[file['path']]
	    same('page ' + file['path'], str(file['fragments']),
	         row[2 if report['mode'] == 'defragment' else 1])
	assert host + '/files/<img src=x onerror=alert(1)>' in rows
	kind = {name: list(map(int, rows[name][0])) for name in ('free', 'files in one piece',
	        'fragmented files', 'indirect blocks', 'directories',
	        'tables, journal, files not surveyed')}
	maps = page.findall('.//svg[@class="map"]')
	words = lambda svg, end: sum(int(n) for n in re.findall(r'; (\d+) moved ' + end, text_of(svg)))
	same('free on the map', kind['free'][0], fs['free_before']['blocks'])
	for k, svg in enumerate(maps):
	    same('all blocks', sum(counts[k] for counts in kind.values()), 24 << 10)
	    same('blocks of files', b['blocks'], sum(kind[name][k] for name in (
	         'files in one piece', 'fragmented files', 'indirect blocks')))
	assert kind['directories'][0] > 0
	if report['mode'] == 'defragment':
	    same('maps', len(maps), 2)
	    same('free on the map', kind['free'][1], fs['free_after']['blocks'])
	    same('moved', fs['moved_blocks'], words(maps[0], 'away'), words(maps[1], 'here'))
	    assert kind['fragmented files'][1] < kind['fragmented files'][0]
	else:
	    same('maps', len(maps), 1)
	    same('moved', 0, source.count('class="moved"'), source.count(' moved away'))
	EOF
}

# What the last map of a page shows, in rows of one height.
drawn() {
	python3 - "$1" <<-'EOF'
	import re, sys, xml.etree.ElementTree
	svg = xml.etree.ElementTree.parse(sys.argv[1]).findall('.//svg[@class="map"]')[-1]
	pitch = 30 if svg.findall('path[@class="moved"]') else 23
	for path in svg.findall('path'):
	    if path.get('class') != 'moved':
	        print(path.get('class'), re.sub(r'([MV]|M\d+ )(\d+)(?=[vz])', lambda m:
	              '%s row %d ' % (m[1], int(m[2]) // pitch), path.get('d')))
	EOF
}

@test "--check: JSON by its schema, metrics by promtool, CSV; all tell what the text tells" {
	reported -c
}

@test "--dry-run, and -v: the same with every file" {
	reported -n
	[ "$(grep -c '"outcome": "planned"' "$T/out/json")" -ge 6 ]
	reported -cv
	[ "$(grep -c '"path": ' "$T/out/json")" = "$(($(wc -l <"$T/out/csv") - 1))" ]
}

@test "after a run: before and after, what moved, what came of each file" {
	reported
	grep -q '"outcome": "improved"' "$T/out/json"
}

@test "the map of after a run is the one that a report of then draws" {
	e3defrag -c --html="$T/out/before" "$H"
	e3defrag --html="$T/out/run" "$H"
	e3defrag -c --html=- "$H" >"$T/out/after"
	drawn "$T/out/run" >"$T/out/kept"
	drawn "$T/out/after" >"$T/out/seen"
	diff "$T/out/kept" "$T/out/seen"
	[ "$(wc -l <"$T/out/seen")" = 6 ]
	drawn "$T/out/before" >"$T/out/was"
	run -1 cmp -s "$T/out/was" "$T/out/seen"
}

@test "--sort and --top: the files named are those, in that order" {
	local sizes
	run -0 e3defrag -c --top=3 --sort=size --json="$T/out/json" "$H"
	[[ $output == *" more fragmented files "* ]]
	sizes=$(sed -n '/"listed": /,$s/ *"bytes": \([0-9]*\),/\1/p' "$T/out/json")
	[ "$(wc -l <<<"$sizes")" = 3 ]
	[ "$sizes" = "$(sort -rn <<<"$sizes")" ]
	run -0 e3defrag -c --top=0 --json="$T/out/json" "$H"
	[[ $output != *"$H/files/"* ]]
	grep -q '"listed": \[' "$T/out/json"
	run -1 grep -q '"path": ' "$T/out/json"
}

@test "\"-\" is standard output, in place of the text" {
	e3defrag -c --json=- "$H" >"$T/out/json"
	python3 -W ignore -m jsonschema -i "$T/out/json" man/e3defrag-report.schema.json
	e3defrag -c --csv=- "$H" >"$T/out/csv"
	[[ $(head -n 1 "$T/out/csv") == "device,path,"*$'\r' ]]
}

@test "the collector's user may read the metrics; names of files only the one who runs it" {
	umask 000
	touch "$T/out/json"
	reported -c
	e3defrag --plan="$T/out/plan" "$H"
	[ "$(stat -c %a "$T/out/e3defrag.prom")" = 644 ]
	[ "$(cd "$T/out" && stat -c %a json csv page plan | sort -u)" = 600 ]
	umask 077
	rm "$T/out/plan"
	reported -c
	[ "$(stat -c %a "$T/out/e3defrag.prom")" = 644 ]
}

# deep_paths: the aged files in a directory whose path is 3.8 KiB of control characters.
deep_paths() {
	local at=$H i name

	name=$(printf '%0250d' 0 | tr 0 '\033')
	for ((i = 0; i < 15; i++)); do
		at+=/$name
		mkdir "$at"
	done
	# Which of a file's names is shown is the order of a directory's hashes.
	rm "$H/small/hard-link" "$H/files/f02-too"
	mv "$H"/files/f* "$at"
}

@test "deep paths of control characters: a report of ten files has some KiB, and says what it cut" {
	local ino

	deep_paths
	run -0 --separate-stderr e3defrag -c --json="$T/out/json" --csv="$T/out/csv" \
		--html="$T/out/page" "$H"
	[ -z "$stderr" ]
	[ ${#output} -lt 8192 ]
	[[ $output != *$'\033'* ]]
	[ "$(grep -c '  \.\.\..*/f[0-9]* <inode [0-9]*>$' <<<"$output")" = 4 ]
	ino=$(sed -n '0,/<inode/s/.* <inode \([0-9]*\)>$/\1/p' <<<"$output")
	[ "$(find "$H" -inum "$ino" -name 'f*' | wc -l)" = 1 ]
	[ "$(stat -c %s "$T/out/json")" -lt 100000 ]
	[ "$(wc -L <"$T/out/csv")" -lt 4300 ]
	[ "$(grep -c '<inode [0-9]*&gt;\|&lt;inode [0-9]*&gt;</bdi>' "$T/out/page")" -ge 4 ]
	[ "$(wc -L <"$T/out/page")" -lt 20000 ]
	python3 -W ignore -m jsonschema -i "$T/out/json" man/e3defrag-report.schema.json
	python3 - "$T/out" "$H" "$ino" <<-'EOF'
	import csv, json, os, re, sys
	out, host, ino = sys.argv[1], sys.argv[2], int(sys.argv[3])
	fs, = json.load(open(out + '/json'))['filesystems']
	rows = {int(r['inode']): r for r in csv.DictReader(open(out + '/csv', newline=''))}
	names = {}
	for folder, _, files in os.walk(os.fsencode(host)):
	    for file in files:
	        path = os.path.join(folder, file)
	        shown = re.sub(rb'[\\\0-\37\177-\377]',
	            lambda m: b'\\%03o' % m[0][0], path).decode()
	        names.setdefault(os.lstat(path).st_ino, []).append(shown)
	cut = 0
	for file in fs['listed']:
	    row, real = rows[file['inode']], names[file['inode']]
	    assert row['path'] == file['path'], file['inode']
	    missing = file.get('path_cut', 0)
	    assert int(row['path_cut']) == missing
	    if not any('\\303' in name for name in real):
	        assert any(file['path'] == ('...' + name[missing:] if missing else name)
	                   for name in real), file['inode']
	    cut += missing > 0
	print('#', cut, 'were cut')
	assert cut >= 3 and any(f['inode'] == ino for f in fs['listed'])
	EOF
	run -0 --separate-stderr e3defrag -v "$H"
	[[ $output != *$'\033'* ]]
	[[ $output == *' <inode '*'>: '*' -> '*' fragments'* ]]
	[ "$(wc -L <<<"$output")" -lt 400 ]
}

@test "a plan of deep paths fits its schema, and can be applied" {
	deep_paths
	e3defrag --plan="$T/out/plan" "$H"
	python3 -W ignore -m jsonschema -i "$T/out/plan" man/e3defrag-plan.schema.json
	grep -q '"path": "\.\.\..*/f' "$T/out/plan"
	[ "$(wc -L <"$T/out/plan")" -lt 6000 ]
	run -0 --separate-stderr e3defrag --apply="$T/out/plan"
	[[ $output == *"Files improved: "[1-9]* ]]
}

@test "a mount point of control characters is escaped wherever it is printed" {
	local at=$T/$'\033[2J\n<3>mnt' shown="$T/\\033[2J\\012<3>mnt" line

	umount "$H"
	mkdir -p "$at"
	mount -t ext3 -o loop,ro "$T/image" "$at"
	run -3 --separate-stderr e3defrag "$at"
	# shellcheck disable=SC2154 # bats sets it
	[ "$stderr" = "e3defrag: $shown: is mounted read-only; -c reports all the same" ]
	run -0 --separate-stderr e3defrag -c --json="$T/out/json" --csv="$T/out/csv" \
		--prometheus="$T/out/e3defrag.prom" --html="$T/out/page" "$at"
	[[ $output == *" on $shown, 1024-byte blocks"* ]]
	run -1 grep -r -l $'\033' "$T/out"
	[ "$(jq -r '.filesystems[0].mountpoint' "$T/out/json")" = "$shown" ]
	promtool check metrics <"$T/out/e3defrag.prom"
	while read -r line; do
		[[ $line != '<3>'* ]]
	done <<<"$output"
	run -0 --separate-stderr e3defrag --all -cv
	[[ $output == *"$shown"* ]]
	[[ $output != *$'\033'* ]]
	umount "$at"
	mount_image
}

@test "a report that can't be completed: 5, and what was there before stays" {
	mkdir "$T/out/full"
	mount -t tmpfs -o size=8k none "$T/out/full"
	head -c 4096 /dev/zero >"$T/out/full/csv"
	head -c 4096 /dev/zero >"$T/out/full/rest"
	run -5 --separate-stderr e3defrag -c --csv="$T/out/full/csv" "$H"
	[[ $stderr == "e3defrag: $T/out/full/csv: can't write it: No space left on device" ]]
	[ "$(stat -c %s "$T/out/full/csv")" = 4096 ]
	[ "$(cd "$T/out/full" && echo .[!.]* *)" = ".[!.]* csv rest" ]
	umount "$T/out/full"
}
