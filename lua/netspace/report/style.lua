--- How a report looks: on a screen of any width, in the dark, and on paper.

return [[

:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #fff;
  --tint: #f5f6f8; --line: #d4d9df; --link: #0a58a5; --good: #00714d; --bad: #a8480a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e7ec; --soft: #a3acb7; --paper: #14181d; --tint: #1d2329; --line: #39424c;
    --link: #7db8f5; --good: #4fc79c; --bad: #f0985c; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 66rem; padding: 1.5rem 1.25rem 3rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0; }
.lead { margin: .5rem 0 1rem; color: var(--soft); }
h2 { font-size: 1.35rem; line-height: 1.25; margin: 2.75rem 0 .75rem; padding-top: .75rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1.08rem; margin: 1.75rem 0 .5rem; }
h4 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p { margin: .5rem 0; max-width: 46rem; }
a { color: var(--link); }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: .85em; }
pre { margin: .5rem 0; padding: .75rem; overflow-x: auto; background: var(--tint);
  border: 1px solid var(--line); border-radius: 4px; line-height: 1.4; overflow-wrap: normal; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
nav ul { display: flex; flex-wrap: wrap; gap: .35rem 1.1rem; margin: 1.1rem 0 0; padding: 0;
  list-style: none; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
  gap: .6rem; margin: 0; }
.figures div { padding: .55rem .75rem; background: var(--tint); border-radius: 4px; }
.figures dt { font-size: .82rem; color: var(--soft); }
.figures dd { margin: 0; font-weight: 600; }
.note { padding: .6rem .8rem; background: var(--tint); border-left: 4px solid var(--bad); }
.key, footer { color: var(--soft); font-size: .88rem; }
footer { margin-top: 3rem; padding-top: .75rem; border-top: 1px solid var(--line); }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .88rem; line-height: 1.4;
  font-variant-numeric: tabular-nums; min-width: 100%; }
caption { text-align: left; color: var(--soft); padding: 0 0 .4rem; }
caption span { display: block; position: sticky; left: 0; width: fit-content;
  max-width: min(46rem, 100vw - 2.5rem); }
th, td { padding: .32rem .9rem .32rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); overflow-wrap: normal; }
th:last-child, td:last-child { padding-right: 0; }
thead th { vertical-align: bottom; font-weight: 600; }
tbody th { font-weight: 500; }
td { white-space: nowrap; }
td bdi, tbody th bdi { display: inline-block; vertical-align: top; max-width: 15rem;
  white-space: normal; overflow-wrap: break-word; }
.n { text-align: right; }
tr.break > * { border-top: 3px double var(--line); }
tr.better td:last-child { color: var(--good); font-weight: 600; }
tr.worse td:last-child { color: var(--bad); font-weight: 600; }
ul.settings { list-style: none; margin: .5rem 0; padding: 0; color: var(--soft);
  font-size: .88rem; }
.verdicts { list-style: none; margin: 1rem 0; padding: 0; max-width: 50rem; }
.verdicts li { margin: .5rem 0; padding: .55rem .8rem; background: var(--tint);
  border-left: 4px solid var(--soft); }
.verdicts .better, .verdicts .same { border-left-color: var(--good); }
.verdicts .worse { border-left-color: var(--bad); }
figure { margin: 1rem 0; }
figure svg { display: block; width: 100%; max-width: 36rem; height: auto;
  border-radius: 4px; }
figcaption { font-size: .88rem; color: var(--soft); margin-top: .3rem; max-width: 46rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr));
  gap: 0 1.5rem; }
.small { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr));
  gap: 0 1.25rem; }
.small figure { margin: .6rem 0; max-width: 26rem; }
details { margin: .4rem 0; }
summary { cursor: pointer; padding: .2rem 0; }
.origin dl, .failure dl { display: grid; grid-template-columns: minmax(5.5rem, auto) 1fr;
  gap: .1rem .9rem; margin: .4rem 0 .8rem; font-size: .88rem; }
.origin dt, .failure dt { grid-column: 1; color: var(--soft); }
.origin dd, .failure dd { grid-column: 2; margin: 0; min-width: 0; }
.failure pre { max-height: 18rem; overflow: auto; }
.raw pre { max-height: 30rem; overflow: auto; }

@media (max-width: 40rem) {
  body { padding: 1rem .9rem 2rem; }
  h1 { font-size: 1.45rem; }
  .origin dl, .failure dl { display: block; }
  .origin dt, .failure dt { margin-top: .3rem; }
}
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --paper: #fff; --tint: #fff;
    --line: #bbb; --link: #000; --good: #00593c; --bad: #8a3a06; }
  @page { margin: 15mm; }
  html { font-size: 9.5pt; }
  body { max-width: none; padding: 0; line-height: 1.4; }
  nav, #numbers { display: none; }
  caption span { position: static; max-width: none; }
  a { text-decoration: none; }
  h2, h3, h4, caption, summary { break-after: avoid; }
  figure, tr, li, .figures div { break-inside: avoid; }
  h2 { margin-top: 1.5rem; }
  .scroll { overflow: visible; }
  table { font-size: 7.5pt; min-width: 0; width: 100%; }
  th, td { padding-right: .45rem; }
  td { white-space: normal; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 7pt; }
  .failure pre, .raw pre { max-height: none; }
  .note, .verdicts li, .figures div { border: 1px solid var(--line); border-left-width: 4px; }
  figure svg { max-height: 100mm; }
  .small { grid-template-columns: 1fr 1fr; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
}
]]
