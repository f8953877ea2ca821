// Puts together dist/, which is embedded in the binary: everything in src/, the fonts and fonts.css.
// No bundler: the pages need one style sheet and one small script.

import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const packages = join(here, "node_modules");
const dist = join(here, "dist");

rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, "fonts"), { recursive: true });
if (existsSync(join(here, "src"))) {
  cpSync(join(here, "src"), dist, { recursive: true, filter: (path) => !path.endsWith("README.md") });
}

// The variable font in subsets for the page.
const web = join(packages, "@fontsource-variable", "golos-text");
for (const name of readdirSync(join(web, "files")).sort()) {
  if (name.endsWith("wght-normal.woff2")) cpSync(join(web, "files", name), join(dist, "fonts", name));
}

// The static fonts for plotted PNG and SVG.
const plotted = join(packages, "@expo-google-fonts", "golos-text");
for (const weight of ["400Regular", "500Medium", "600SemiBold"]) {
  const file = `GolosText_${weight}.ttf`;
  cpSync(join(plotted, weight, file), join(dist, "fonts", `GolosText-${weight.replace(/^\d+/, "")}.ttf`));
}
cpSync(join(plotted, "LICENSE_FONT"), join(dist, "fonts", "OFL.txt"));

// The subsets lack the narrow no-break space, the separator of thousands; the static font has it.
const narrowSpace = `
/* golos-text-signs */
@font-face {
  font-family: 'Golos Text Variable';
  font-style: normal;
  font-display: swap;
  font-weight: 400 900;
  src: url(./fonts/GolosText-Regular.ttf) format('truetype');
  unicode-range: U+2009,U+202F;
}
`;
const faces = readFileSync(join(web, "wght.css"), "utf8").replaceAll("url(./files/", "url(./fonts/");
writeFileSync(join(dist, "fonts.css"), faces + narrowSpace);
