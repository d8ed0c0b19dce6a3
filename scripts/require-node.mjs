// @ts-check
import { readFileSync } from 'node:fs'
import process from 'node:process'

// Imported before anything that an older Node.js would not even parse.

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const wanted = engines.node.replace(/^\D+/, '')
const [major, minor] = wanted.split('.').map(Number)
const [ownMajor = 0, ownMinor = 0] = process.versions.node.split('.').map(Number)
if (ownMajor < major || (ownMajor === major && ownMinor < minor)) {
  process.stderr.write(
    `Node.js ${wanted} or newer is needed, and ${process.execPath} is ${process.versions.node}: install a newer one, or put it first in PATH.\n`,
  )
  process.exit(1)
}
