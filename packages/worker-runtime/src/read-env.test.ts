import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { EnvError } from './env-error.js'
import { integer, secret, variable } from './env-variable.js'
import { readEnv } from './read-env.js'
import { migrationEnv, prefetch, workerEnv } from './worker-env.js'

const shape = { ...workerEnv({ httpPort: 9104 }), prefetch: prefetch(1000) }
const good = { RABBITMQ_URL: 'amqp://u:p@broker/mono', DATABASE_URL: 'postgres://u:p@db/mono' }

function faultsOf(source: Record<string, string | undefined>, of: Parameters<typeof readEnv>[0] = shape) {
  try {
    readEnv(of, source)
  } catch (error) {
    if (error instanceof EnvError) return error
    throw error
  }
  throw new Error('Expected an EnvError, but the environment was accepted')
}

describe('a usable environment', () => {
  test('gets the defaults for what is not set', () => {
    expect(readEnv(shape, good)).toEqual({
      rabbitmqUrls: ['amqp://u:p@broker/mono'],
      databaseUrl: 'postgres://u:p@db/mono',
      topology: 'declare',
      logLevel: 'info',
      httpPort: 9104,
      prefetch: 1000,
      shutdownGraceMs: 25_000,
      nodeEnv: 'development',
    })
  })

  test('counts an empty or blank variable as not set', () => {
    expect(readEnv(shape, { ...good, HTTP_PORT: '', TOPOLOGY: '  ', RABBITMQ_URL_FILE: '' })).toMatchObject({
      httpPort: 9104,
      topology: 'declare',
    })
  })

  test('may name several brokers, separated by commas', () => {
    const source = { ...good, RABBITMQ_URL: 'amqp://u:p@a/mono, amqps://u:p@b/mono' }
    expect(readEnv(shape, source).rabbitmqUrls).toEqual(['amqp://u:p@a/mono', 'amqps://u:p@b/mono'])
  })

  test('keeps the variables of the worker itself beside the shared ones', () => {
    const own = { ...shape, batchSize: variable('AUDIT_BATCH_SIZE', integer({ min: 1, max: 5000, default: 500 })) }
    expect(readEnv(own, { ...good, AUDIT_BATCH_SIZE: ' 20 ' }).batchSize).toBe(20)
  })

  test('takes another database URL for migrations, also from a file', () => {
    const directory = mkdtempSync(join(tmpdir(), 'env-'))
    const path = join(directory, 'url')
    writeFileSync(path, 'postgres://owner:p@direct/mono\n')
    const source = { DATABASE_URL: good.DATABASE_URL, DATABASE_MIGRATION_URL_FILE: path }
    expect(readEnv(migrationEnv(), source)).toMatchObject({
      databaseUrl: good.DATABASE_URL,
      databaseMigrationUrl: 'postgres://owner:p@direct/mono',
    })
    rmSync(directory, { recursive: true })
  })

  test('needs no broker to migrate', () => {
    expect(readEnv(migrationEnv(), { DATABASE_URL: 'postgresql:///mono?host=/run/postgresql' })).toEqual({
      databaseUrl: 'postgresql:///mono?host=/run/postgresql',
      logLevel: 'info',
      nodeEnv: 'development',
    })
  })
})

describe('faults', () => {
  test('are reported all together, one per variable, in a readable list', () => {
    const error = faultsOf({
      HTTP_PORT: '70000',
      PREFETCH: '0',
      LOG_LEVEL: 'loud',
      TOPOLOGY: 'maybe',
      DATABASE_URL: 'x',
    })
    expect(error.faults.map(({ name }) => name).sort()).toEqual(
      ['DATABASE_URL', 'HTTP_PORT', 'LOG_LEVEL', 'PREFETCH', 'RABBITMQ_URL', 'TOPOLOGY'].sort(),
    )
    expect(error.message).toContain('The environment has 6 faults:')
    expect(error.message).toContain('  HTTP_PORT: expected an integer from 0 to 65535; found "70000"')
    expect(error.message).toContain(
      '  RABBITMQ_URL: expected amqp:// or amqps:// URLs separated by commas, or RABBITMQ_URL_FILE naming a file with it; found nothing',
    )
    expect(error.message).toContain('  TOPOLOGY: expected one of declare, check; found "maybe"')
  })

  test.each(['1e3', '0x10', '10 s', '-1', '1.5', '99999999999999999999'])('refuse %s as a number', (text) => {
    expect(faultsOf({ ...good, SHUTDOWN_GRACE_MS: text }).faults).toEqual([
      { name: 'SHUTDOWN_GRACE_MS', expected: 'an integer from 0 to 2147483647', found: JSON.stringify(text) },
    ])
  })

  test('refuse a broker URL of another scheme, saying which but no more of it', () => {
    const [fault] = faultsOf({ ...good, RABBITMQ_URL: 'http://u:hunter2@broker' }).faults
    expect(fault).toMatchObject({ name: 'RABBITMQ_URL', found: 'a http:// URL' })
  })

  test('say which of several broker URLs is wrong', () => {
    const [fault] = faultsOf({ ...good, RABBITMQ_URL: 'amqp://a,,amqp://b' }).faults
    expect(fault?.found).toBe('nothing in place 2')
  })

  test('refuse a broker URL whose password is not percent-encoded', () => {
    expect(faultsOf({ ...good, RABBITMQ_URL: 'amqp://u:hunter2%zz@broker' }).faults[0]?.found).toBe(
      'a URL whose password is not percent-encoded (write a literal % as %25)',
    )
  })

  test('refuse a broker URL without a host', () => {
    expect(faultsOf({ ...good, RABBITMQ_URL: 'amqp:///mono' }).faults[0]?.found).toBe('a amqp:// URL without a host')
  })

  test('never contain a secret, whatever a schema of the worker itself says about it', () => {
    const own = { vapidPrivateKey: secret('VAPID_PRIVATE_KEY', z.string().min(43, 'at least 43 characters')) }
    expect(faultsOf({ VAPID_PRIVATE_KEY: 'hunter2' }, own).faults).toEqual([
      { name: 'VAPID_PRIVATE_KEY', expected: 'at least 43 characters', found: 'a value that is not shown' },
    ])
  })

  test('never contain a secret, whatever is wrong with it', () => {
    const hunter2 = 'hunter2'
    for (const value of [hunter2, `http://u:${hunter2}@h`, `amqp://u:${hunter2}@[`, `amqp://u:p@h,${hunter2}`]) {
      const error = faultsOf({ RABBITMQ_URL: value, DATABASE_URL: value, LOG_LEVEL: `amqp://u:${hunter2}@h` })
      expect(JSON.stringify([error.message, error.faults])).not.toContain(hunter2)
      expect(error.faults.length).toBeGreaterThanOrEqual(3)
    }
  })
})

describe('checks of several variables', () => {
  const own = {
    least: variable('LEAST', integer({ min: 0, max: 100, default: 0 })),
    most: variable('MOST', integer({ min: 0, max: 100, default: 50 })),
  }
  const order = ({ least, most }: { least: number; most: number }) =>
    least <= most ? undefined : { name: 'LEAST', expected: `at most ${most}`, found: String(least) }
  const never = () => undefined

  function faultNames(source: Record<string, string>, checks = [order]): string[] {
    try {
      readEnv({ ...shape, ...own }, { ...good, ...source }, { checks })
      return []
    } catch (error) {
      if (error instanceof EnvError) return error.faults.map(({ name }) => name)
      throw error
    }
  }

  test('are made, and what they find is reported with the other faults', () => {
    expect(faultNames({ LEAST: '50' })).toEqual([])
    expect(faultNames({ LEAST: '51', HTTP_PORT: 'x' }, [never, order])).toEqual(['HTTP_PORT', 'LEAST'])
  })

  test('are left out if one of the variables they read has a fault of its own', () => {
    expect(faultNames({ LEAST: '51', MOST: 'x' })).toEqual(['MOST'])
  })

  test('that throw are no faults of the environment', () => {
    const broken = () => {
      throw new TypeError('a bug')
    }
    expect(() => faultNames({}, [broken])).toThrow('a bug')
  })
})

describe('a secret in a file', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'read-env-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  test('is read and trimmed', () => {
    const path = join(directory, 'url')
    writeFileSync(path, '\n amqp://u:p@broker/mono \n\n')
    const env = readEnv(shape, { DATABASE_URL: good.DATABASE_URL, RABBITMQ_URL_FILE: path })
    expect(env.rabbitmqUrls).toEqual(['amqp://u:p@broker/mono'])
  })

  test('beside the variable itself is a fault, and neither is preferred', () => {
    const path = join(directory, 'url')
    writeFileSync(path, 'amqp://u:p@broker/mono')
    expect(faultsOf({ ...good, RABBITMQ_URL_FILE: path }).faults).toEqual([
      { name: 'RABBITMQ_URL', expected: 'either RABBITMQ_URL or RABBITMQ_URL_FILE', found: 'both' },
    ])
  })

  test('that cannot be read is one fault, with the path and the reason', () => {
    const path = join(directory, 'absent')
    expect(faultsOf({ ...good, DATABASE_URL: undefined, DATABASE_URL_FILE: path }).faults).toEqual([
      { name: 'DATABASE_URL_FILE', expected: 'a file that can be read', found: `${path} (ENOENT)` },
    ])
    expect(faultsOf({ ...good, DATABASE_URL: undefined, DATABASE_URL_FILE: directory }).faults[0]?.found).toBe(
      `${directory} (EISDIR)`,
    )
  })

  test('that is empty is a fault', () => {
    const path = join(directory, 'empty')
    writeFileSync(path, ' \n')
    chmodSync(path, 0o600)
    expect(faultsOf({ ...good, DATABASE_URL: undefined, DATABASE_URL_FILE: path }).faults).toEqual([
      { name: 'DATABASE_URL_FILE', expected: 'a file with the value in it', found: `an empty file at ${path}` },
    ])
  })

  test('is not printed when it is faulty', () => {
    const path = join(directory, 'url')
    writeFileSync(path, 'hunter2')
    const error = faultsOf({ ...good, DATABASE_URL: undefined, DATABASE_URL_FILE: path })
    expect(error.message).toContain('DATABASE_URL: expected')
    expect(error.message).not.toContain('hunter2')
  })

  test('is only looked for where a secret is expected', () => {
    expect(readEnv(shape, { ...good, LOG_LEVEL_FILE: '/nowhere' }).logLevel).toBe('info')
  })
})

describe('in production', () => {
  const production = { ...good, NODE_ENV: 'production' }

  test.each([
    ['RABBITMQ_URL', 'amqp://admin:admin123@broker/mono'],
    ['RABBITMQ_URL', 'amqp://u:p@a/mono,amqp://admin:admin123@b/mono'],
    ['RABBITMQ_URL', 'amqp://admin:%61dmin123@broker/mono'],
    ['DATABASE_URL', 'postgres://postgres:admin123@db/mono'],
    ['DATABASE_URL', 'postgres://postgres@db/mono?password=admin123'],
  ])('the development password in %s=%s is refused in words', (name, value) => {
    expect(faultsOf({ ...production, [name]: value }).faults).toEqual([
      {
        name,
        expected: 'a password of its own, because NODE_ENV is production',
        found: 'the development password admin123',
      },
    ])
  })

  test('other passwords are accepted', () => {
    expect(readEnv(shape, { ...production, RABBITMQ_URL: 'amqp://admin123:other@broker' }).nodeEnv).toBe('production')
  })

  test('only: a developer may use it', () => {
    expect(readEnv(shape, { ...good, RABBITMQ_URL: 'amqp://admin:admin123@localhost' }).rabbitmqUrls).toHaveLength(1)
  })
})
