import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from '@mono/test-support'
import { afterAll, beforeAll, expect } from 'vitest'

const run = promisify(execFile)
const repository = fileURLToPath(new URL('../../../', import.meta.url))
const outside = fileURLToPath(new URL('support/outside/', import.meta.url))
const { resolve } = createRequire(import.meta.url)
/** TypeScript 7 knows `node` no more. */
const typescript5 = createRequire(resolve('@arethetypeswrong/core')).resolve('typescript/bin/tsc')
const typescript = `${repository}node_modules/typescript/bin/tsc`

/** A project of its own, outside the repository. */
let project = ''
const packed: { name: string; files: string[] }[] = []

beforeAll(async () => {
  project = await mkdtemp(`${tmpdir()}/packed-client-`)
  await run('npm', ['run', '--silent', 'pack:client', '--', '--pack-destination', project], { cwd: repository })
  for (const file of await readdir(project)) await install(`${project}/${file}`)
  await link('@types/node')
  await writeFile(`${project}/package.json`, '{ "private": true }')
  await cp(outside, project, { recursive: true })
  await cp(`${outside}jest-suite.cjs`, `${project}/round-trip.test.cjs`)
}, 120_000)

afterAll(async () => {
  if (project !== '') await rm(project, { recursive: true })
})

/** As npm would, but for the packages of others, which are those of the repository: no network. */
async function install(tarball: string): Promise<void> {
  const unpacked = `${tarball}.unpacked`
  await mkdir(unpacked)
  await run('tar', ['-xzf', tarball, '-C', unpacked, '--strip-components=1'])
  const { name, dependencies = {} } = JSON.parse(await readFile(`${unpacked}/package.json`, 'utf8'))
  const entries = await readdir(unpacked, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`)
  packed.push({ name, files: files.map((file) => file.slice(unpacked.length + 1)) })
  await cp(unpacked, `${project}/node_modules/${name}`, { recursive: true })
  for (const dependency of Object.keys(dependencies)) if (!dependency.startsWith('@mono/')) await link(dependency)
}

async function link(name: string): Promise<void> {
  const path = `${project}/node_modules/${name}`
  await mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true })
  await symlink(`${repository}node_modules/${name}`, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

/** Runs in the project. @throws Error with the output, unless it ends with 0 */
async function runScript(script: string, args: readonly string[], env: Record<string, string> = {}) {
  try {
    return await run(process.execPath, [script, ...args], { cwd: project, env })
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${script} has failed:\n${stdout}\n${stderr}`, { cause: error })
  }
}

test('four packages are packed, with nothing but what an application needs', () => {
  expect(packed.map(({ name }) => name).sort()).toEqual([
    '@mono/contracts',
    '@mono/message-queue',
    '@mono/rascal-config',
    '@mono/waiting',
  ])
  for (const { files } of packed) {
    expect(files.filter((file) => !file.startsWith('dist/')).sort()).toEqual(['LICENSE', 'README.md', 'package.json'])
    const unexpected = files.filter(
      (file) => file.startsWith('dist/') && !/\.(js|d\.ts|js\.map)$|^dist\/cjs\/package\.json$/.test(file),
    )
    expect(unexpected).toEqual([])
    expect(files.filter((file) => /\.test\.|render\./.test(file))).toEqual([])
  }
})

test.for(['esm.mjs', 'commonjs.cjs'])(
  '%s sends and consumes, and finds one client for both forms',
  async (script, { vhost }) => {
    const { stdout, stderr } = await runScript(script, [], { RABBITMQ_URL: vhost.url })
    expect(JSON.parse(stdout)).toEqual({ arrived: true, refused: true, isOne: true })
    expect(stderr).toBe('')
  },
)

test('a suite of jest sends and consumes, without any setting', async ({ vhost }) => {
  const jest = `${repository}node_modules/jest/bin/jest.js`
  const { stderr } = await runScript(jest, ['--no-cache'], { RABBITMQ_URL: vhost.url })
  expect(stderr).toMatch(/Tests: +2 passed, 2 total/)
})

test.for([
  ['node', 'commonjs', typescript5],
  ['node16', 'node16', typescript],
  ['nodenext', 'nodenext', typescript],
  ['bundler', 'esnext', typescript],
] as const)('an application with the module resolution %s finds the types', async ([resolution, module, compiler]) => {
  const options = [
    '--strict',
    '--noEmit',
    '--skipLibCheck',
    '--esModuleInterop',
    '--target',
    'es2022',
    '--types',
    'node',
  ]
  const how = ['--moduleResolution', resolution, '--module', module]
  await runScript(compiler, [...options, ...how, 'typed-application.ts'])
})
