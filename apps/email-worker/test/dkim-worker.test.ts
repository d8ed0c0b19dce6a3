import { execFile } from 'node:child_process'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { examples } from '@mono/contracts'
import { migrate, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import type { DkimRecord } from './dkim-key.js'
import { emailEnvironment } from './email-environment.js'
import { verifyDkim } from './verify-dkim.js'

const run = promisify(execFile)
const script = fileURLToPath(new URL('../../../scripts/dkim.mjs', import.meta.url))

type CleanUp = (release: () => Promise<unknown> | unknown) => void

async function makeDirectory(cleanUp: CleanUp): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'dkim-'))
  cleanUp(() => rm(directory, { recursive: true }))
  return directory
}

/** The output of `npm run dkim`, as DNS and the worker read it. */
async function runScript(...args: string[]): Promise<{ record: DkimRecord; settings: Record<string, string> }> {
  const { stdout } = await run(process.execPath, [script, ...args])
  const [line = '', ...rest] = stdout.split('\n')
  const [, name = '', value = ''] = /^(\S+)\. TXT (.*)$/.exec(line) ?? []
  const strings = [...value.matchAll(/"([^"]*)"/g)].map(([, each = '']) => each)
  const settings = Object.fromEntries(
    [...rest.join('\n').matchAll(/^(\w+)=(.*)$/gm)].map(([, key, text]) => [key, text]),
  )
  return { record: { name, strings }, settings }
}

const refuses = (...args: string[]) =>
  run(process.execPath, [script, ...args]).then(
    () => expect.unreachable('it did not refuse'),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
  )

describe('email-worker', () => {
  test('signs each mail with the key that `npm run dkim` made, so that the record that it printed verifies it', async ({
    vhost,
    database,
    smtpSink,
    workers,
    cleanUp,
  }) => {
    const file = join(await makeDirectory(cleanUp), 'dkim.pem')
    const { record, settings } = await runScript('example.com', 'mono-2027', '--new', file)
    await migrate('email-worker', database.url)
    const worker = workers.spawn('email-worker', { ...emailEnvironment({ vhost, database, smtpSink }), ...settings })
    await worker.ready()
    const given = { ...examples['email.message'], to: ['ada@example.com', 'bob@example.com'] }
    const filled = {
      to: ['eve@example.com'],
      subject: '',
      template: 'welcome',
      data: { userName: 'Ada' },
      tenantId: 42,
    }
    await vhost.publish('notifications', 'email.send', given, { messageId: 'given' })
    await vhost.publish('notifications', 'email.template', filled, { messageId: 'filled' })
    await waitFor(() => smtpSink.received.length === 3, { what: 'all mails' })
    expect(await worker.terminate()).toEqual({ code: 0, signal: null })

    for (const { raw, to } of smtpSink.received) {
      const { result, aligned, tags, signedHeaders } = await verifyDkim(raw, record)
      expect([to, result, aligned, tags.s]).toEqual([to, 'pass', 'example.com', 'mono-2027'])
      expect(signedHeaders.includes('reply-to')).toBe(!to.includes('eve@example.com'))
    }
    const [signing] = worker.logs.filter(({ msg }) => msg === 'Mails are signed with DKIM')
    expect(signing).toMatchObject({ domain: 'example.com', selector: 'mono-2027' })
    const [, secret = ''] = (await readFile(file, 'utf8')).split('\n')
    expect(secret).toHaveLength(64)
    expect(JSON.stringify(worker.logs) + worker.stderr).not.toContain(secret)
  })

  test('does not start with settings by which mails would go out unsigned or unaligned, and shows no key', async ({
    vhost,
    database,
    smtpSink,
    workers,
    cleanUp,
  }) => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const file = join(await makeDirectory(cleanUp), 'dkim.pem')
    await writeFile(file, pem)
    const worker = workers.spawn('email-worker', {
      ...emailEnvironment({ vhost, database, smtpSink }),
      EMAIL_DKIM_DOMAIN: 'example.org',
      EMAIL_DKIM_KEY_FILE: file,
    })
    expect(await worker.exited).toEqual({ code: 1, signal: null })
    expect(worker.stderr).toMatch(
      /2 faults:\n {2}EMAIL_DKIM_KEY: expected a private key of RSA in PEM, .*; found one of Ed25519\n {2}EMAIL_DKIM_DOMAIN: expected example\.com, as EMAIL_FROM has it, .*; found example\.org/,
    )
    expect(worker.stderr).not.toContain(pem.split('\n')[1])
  })
})

describe('npm run dkim', () => {
  test('makes a key of 2,048 bits that nobody else may read, and strings that DNS takes', async ({ cleanUp }) => {
    const file = join(await makeDirectory(cleanUp), 'dkim.pem')
    const { record, settings } = await runScript('Müller.example', 'mono-2027', '--new', file)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const key = createPublicKey(await readFile(file))
    expect(key.asymmetricKeyDetails?.modulusLength).toBe(2_048)
    const published = key.export({ type: 'spki', format: 'der' }).toString('base64')
    expect(record.name).toBe('mono-2027._domainkey.xn--mller-kva.example')
    expect(record.strings.join('')).toBe(`v=DKIM1; k=rsa; p=${published}`)
    expect(record.strings.map(({ length }) => length <= 255)).toEqual([true, true])
    expect(settings).toEqual({
      EMAIL_DKIM_DOMAIN: 'xn--mller-kva.example',
      EMAIL_DKIM_SELECTOR: 'mono-2027',
      EMAIL_DKIM_KEY_FILE: file,
    })
  })

  test('prints the same for a key that exists, and never overwrites one', async ({ cleanUp }) => {
    const file = join(await makeDirectory(cleanUp), 'dkim.pem')
    const made = await runScript('example.com', 'mono-2027', '--new', file)
    const before = await readFile(file, 'utf8')
    expect(await refuses('example.com', 'mono-2027', '--new', file)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(`Expected a file that does not exist, found ${file}`),
    })
    expect(await readFile(file, 'utf8')).toBe(before)
    expect(await runScript('example.com', 'mono-2027', '--key', file)).toEqual(made)
  })

  test('refuses what the worker would refuse', async ({ cleanUp }) => {
    const directory = await makeDirectory(cleanUp)
    const write = async (name: string, key: { export(options: object): string | Buffer }) => {
      await writeFile(join(directory, name), key.export({ type: name === 'public' ? 'spki' : 'pkcs8', format: 'pem' }))
      return join(directory, name)
    }
    const short = await write('short', generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey)
    const curve = await write('curve', generateKeyPairSync('ed25519').privateKey)
    const open = await write('public', generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey)
    const said = async (...args: string[]) => (await refuses(...args)).stderr.split('\n')[0]
    expect(await said('example.com', 's', '--key', short)).toBe(
      `Expected a key of 2,048 to 4,096 bits in ${short}, found 1024`,
    )
    expect(await said('example.com', 's', '--key', curve)).toBe(`Expected a key of RSA in ${curve}, found ed25519`)
    expect(await said('example.com', 's', '--key', open)).toMatch(/^Expected a private key in PEM in /)
    expect(await said('example.com', 's', '--key', join(directory, 'none'))).toMatch(/\(ENOENT\)$/)
    expect(await said('example', 's', '--key', short)).toBe('Expected a domain such as example.com')
    expect(await said('example.com', 's;', '--key', short)).toBe('Expected a selector such as mono-2027')
    expect(await said('example.com', 's')).toBe('Expected either --new or --key, with a file')
  })
})
