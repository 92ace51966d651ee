#include "page.h"

#include <fstream>

#include "html.h"
#include "page_parts.h"

namespace gridwhistle::demo {

namespace {

constexpr const char* kHead = R"html(<!doctype html>
<html lang="zh"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>麻章区的一天 · A day in Mazhang</title>
<style>
:root { --ink:#1d2733; --soft:#5f6b7a; --line:#dde3ea; --paper:#fff; }
* { box-sizing:border-box; }
body { margin:0; background:#f4f6f8; color:var(--ink);
  font:15px/1.55 "Noto Sans SC","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",system-ui,sans-serif; }
main { max-width:1080px; margin:0 auto; padding:28px 20px 60px; }
h1 { font-size:30px; margin:0 0 4px; } h1 i, h2 i { color:var(--soft); font-style:normal; font-weight:400; font-size:.72em; }
h2 { font-size:20px; margin:0 0 8px; } h3 { font-size:15px; margin:0 0 2px; display:flex; gap:8px; align-items:center; flex-wrap:wrap; }
i { font-style:normal; color:var(--soft); }
section { background:var(--paper); border:1px solid var(--line); border-radius:12px; padding:18px 20px; margin-top:18px; }
.lead { color:var(--soft); margin:0; max-width:76ch; }
.tiles { display:grid; grid-template-columns:repeat(auto-fill,minmax(235px,1fr)); gap:1px; padding:0; overflow:hidden; background:var(--line); }
.tile { background:var(--paper); padding:14px 18px; display:flex; flex-direction:column; }
.tile b { font-size:27px; line-height:1.2; font-variant-numeric:tabular-nums; } .tile small { color:var(--soft); }
.mapbox { display:grid; grid-template-columns:minmax(0,1fr) 300px; gap:26px; align-items:start; }
@media (max-width:800px) { .mapbox { grid-template-columns:1fr; } }
h4 { margin:0 0 6px; font-size:14px; } s { display:inline-block; width:12px; height:12px; border-radius:50%; vertical-align:-1px; margin-right:6px; }
.bars { list-style:none; margin:0 0 14px; padding:0; font-size:13px; } .bars li { display:grid; grid-template-columns:1fr auto; margin-bottom:5px; }
.bars b { font-variant-numeric:tabular-nums; font-weight:600; } .bars em { grid-column:1/3; height:4px; border-radius:3px; min-width:2px; }
.rings { font-size:13px; margin:-6px 0 18px; } .rings s:nth-of-type(2) { margin-left:12px; }
.map { width:100%; height:auto; display:block; } .map path { stroke:#c3cdd8; stroke-width:.7; }
.map path:hover { fill:#ffe9b8; }
.town { font-size:40px; fill:#334a63; opacity:.3; text-anchor:middle; font-weight:700; letter-spacing:6px; }
.note { color:var(--soft); font-size:13px; margin:8px 0 0; }
.one { border-top:1px solid var(--line); padding:14px 0 4px; } .one:first-of-type { border-top:0; }
.scroll { overflow-x:auto; } svg.road { display:block; min-width:560px; height:auto; }
code { font-size:12px; color:var(--soft); }
.state { color:#fff; border-radius:99px; padding:1px 10px; font-size:12px; font-weight:400; }
.tag { border:1px solid var(--line); border-radius:99px; padding:0 9px; font-size:12px; font-weight:400; color:var(--soft); }
.tag.red { color:#d4351c; border-color:#d4351c; }
text.lane { font-size:12px; fill:#334a63; } line.lane { stroke:#e6ebf0; stroke-width:1; }
path.road { fill:none; stroke:#9fb4c9; stroke-width:2.2; stroke-linejoin:round; }
text.act { font-size:11px; text-anchor:middle; fill:#1d2733; paint-order:stroke; stroke:#fff; stroke-width:3px; }
text.sub { font-size:8.5px; text-anchor:middle; fill:#75808d; paint-order:stroke; stroke:#fff; stroke-width:2.5px; }
.faults { border-color:#d4351c; } .faults li { color:#b3261e; }
</style></head><body><main>
)html";

std::string heading(const DayNumbers& numbers) {
  return "<h1>麻章区的一天 <i>A day in Mazhang</i></h1>\n<p class=\"lead\">" +
         std::to_string(numbers.phones) +
         " 部手机离线记录，经坏网络同步到一台县级服务器；手机与服务器在记录和同步途中被强制终止，之"
         "后逐条核对。 " +
         std::to_string(numbers.phones) +
         " phones recorded offline and synced over bad lines to one county server; phones and "
         "server "
         "were killed on the way. Everything below is read from the files they left. "
         "地名为真实区划，人和事均为虚构 "
         "Places are real, people and matters made up.</p>\n";
}

std::string faults_part(const Findings& findings) {
  if (findings.faults.empty()) return {};
  std::string html =
      "<section class=\"faults\"><h2>未通过的核对 <i>Checks that failed</i></h2><ul>\n";
  for (const std::string& fault : findings.faults) html += "<li>" + escaped(fault) + "</li>\n";
  return html + "</ul></section>\n";
}

}  // namespace

Result<void> write_page(const std::string& path, const CountyView& county,
                        const DayNumbers& numbers) {
  std::ofstream file(path);
  file << kHead << heading(numbers) << faults_part(numbers.findings)
       << numbers_part(county, numbers) << map_part(county) << roads_part(county)
       << "</main></body></html>\n";
  file.flush();
  if (file) return {};
  return fail(ErrorCode::kIo, "writing " + path);
}

}  // namespace gridwhistle::demo
