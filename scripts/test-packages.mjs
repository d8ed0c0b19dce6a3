// @ts-check
/**
 * Packs what an application installs, and lets two linters of packages look at it: whether every kind of module
 * resolution finds the types that belong to the code (attw), and whether the manifests are sound (publint). Needs a build.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const repository = fileURLToPath(new URL('../', import.meta.url))
const attw = ['@arethetypeswrong/cli/dist/index.js', '--no-color', '--no-emoji']
const publint = ['publint/src/cli.js', '--strict']

/** How each command packs, and who looks at what it has packed. Pages and servers load realtime as ES modules only. */
const packs = [
  { command: 'pack:client', linters: [attw, publint] },
  { command: 'pack:realtime', linters: [[...attw, '--profile', 'esm-only'], publint] },
]

for (const { command, linters } of packs) {
  const directory = await mkdtemp(`${tmpdir()}/packages-`)
  try {
    await run('npm', ['run', '--silent', command, '--', '--pack-destination', directory], { cwd: repository })
    for (const tarball of await readdir(directory)) {
      for (const [script = '', ...args] of linters) await lint(`${directory}/${tarball}`, script, args)
    }
  } finally {
    await rm(directory, { recursive: true })
  }
}

/**
 * @param {string} tarball
 * @param {string} script
 * @param {string[]} args
 */
async function lint(tarball, script, args) {
  try {
    await run(process.execPath, [`${repository}node_modules/${script}`, ...args, tarball])
    console.log(`${script} ${basename(tarball)}: nothing found`)
  } catch (error) {
    const { stdout, stderr } = /** @type {{ stdout?: string, stderr?: string }} */ (error)
    console.error(`${script}:\n${stdout}${stderr}`)
    process.exitCode = 1
  }
}
