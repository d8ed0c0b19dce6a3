// @ts-check
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { listPackages } from '../prepare.mjs'
import { localDirectory, rootDirectory } from '../services/paths.mjs'
import { run } from '../services/processes.mjs'

/** Where guards are taken out: never in the tree that somebody works in. */
export const copyDirectory = join(localDirectory, `mutants-${process.pid}`)

/** Copies the files of the working tree, committed or not, and what has been built. The copy ends with this process. */
export async function makeCopy() {
  process.once('exit', () => rmSync(copyDirectory, { recursive: true, force: true }))
  for (const file of await listFiles()) copy(file)
  linkDependencies()
  for (const path of listPackages()) copy(join(path, 'dist'))
}

/**
 * Builds one package of the copy; {@link restoreBuild} brings back what was built before.
 * @param {string} path of the package
 * @returns {Promise<string | undefined>} what the compiler says if it refuses
 */
export async function rebuild(path) {
  const { current, saved } = buildsOf(path)
  cpSync(current, saved, { recursive: true })
  const tsc = join(rootDirectory, 'node_modules/.bin/tsc')
  const { code, stdout, stderr } = await run(tsc, ['-p', 'tsconfig.build.json'], { cwd: join(copyDirectory, path) })
  return code === 0 ? undefined : stdout || stderr
}

/** @param {string} path of the package */
export function restoreBuild(path) {
  const { current, saved } = buildsOf(path)
  rmSync(current, { recursive: true })
  renameSync(saved, current)
}

/** @param {string} path of the package */
function buildsOf(path) {
  const current = join(copyDirectory, path, 'dist')
  return { current, saved: `${current}.saved` }
}

async function listFiles() {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const { code, stdout, stderr } = await run('git', args, { cwd: rootDirectory })
  if (code !== 0) throw new Error(`git ls-files failed: ${stderr.trim()}`)
  return stdout.split('\0').filter((file) => file !== '' && existsSync(join(rootDirectory, file)))
}

/** @param {string} path relative to the root */
function copy(path) {
  cpSync(join(rootDirectory, path), join(copyDirectory, path), { recursive: true })
}

/** Links to packages of the workspace are relative: copied as they are, they lead to the packages of the copy. */
function linkDependencies() {
  for (const owner of ['.', ...listPackages()]) {
    const modules = join(owner, 'node_modules')
    if (!existsSync(join(rootDirectory, modules))) continue
    for (const name of readdirSync(join(rootDirectory, modules))) link(join(modules, name))
  }
}

/** @param {string} path relative to the root */
function link(path) {
  const source = join(rootDirectory, path)
  if (path.endsWith('/@mono')) {
    cpSync(source, join(copyDirectory, path), { recursive: true, verbatimSymlinks: true })
  } else if (!/\/\.(?!bin$)[^/]*$/.test(path) && lstatSync(source).isDirectory()) {
    mkdirSync(dirname(join(copyDirectory, path)), { recursive: true })
    symlinkSync(source, join(copyDirectory, path))
  }
}
