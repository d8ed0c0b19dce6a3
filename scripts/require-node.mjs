// @ts-check
import { readFileSync } from 'node:fs'
import process from 'node:process'

// Imported before anything that an older Node.js would not even parse.

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const [ownMajor = 0, ownMinor = 0] = process.versions.node.split('.').map(Number)
const fits = [...engines.node.matchAll(/(\^|>=)(\d+)\.(\d+)/g)].some(([, how, major, minor]) =>
  ownMajor === Number(major) ? ownMinor >= Number(minor) : how === '>=' && ownMajor > Number(major),
)
if (!fits) {
  process.stderr.write(
    `Node.js ${engines.node} is needed, and ${process.execPath} is ${process.versions.node}: install a newer one, or put it first in PATH.\n`,
  )
  process.exit(1)
}
