// @ts-check
import pg from 'pg'

const schemas = ['chat', 'push', 'email', 'audit']
const tables = { chat: 'messages', push: 'devices', email: 'suppressions', audit: 'events' }

/**
 * What each worker's role must not do, tried.
 * @param {(role: string) => string} urlOf
 * @returns {Promise<{ refused: string[], done: string[] }>}
 */
export async function tryDatabaseRoles(urlOf) {
  /** @type {string[]} */
  const refused = []
  /** @type {string[]} */
  const done = []
  for (const schema of schemas) {
    const role = `${schema}_worker`
    const others = schemas.filter((other) => other !== schema)
    const attempts = [
      ...others.map((other) => `SELECT * FROM ${other}.${tables[/** @type {keyof typeof tables} */ (other)]}`),
      ...others.map((other) => `CREATE TABLE ${other}.mine ()`),
      ...others.map((other) => `SET ROLE ${other}_worker`),
      'CREATE SCHEMA mine',
      'CREATE TABLE public.mine ()',
      'CREATE ROLE mine',
      'SELECT rolpassword FROM pg_authid',
    ]
    const client = new pg.Client({ connectionString: urlOf(role) })
    await client.connect()
    for (const attempt of attempts) {
      const list = await client.query(attempt).then(
        () => done,
        // 42501: insufficient_privilege (https://www.postgresql.org/docs/current/errcodes-appendix.html)
        (error) => (error.code === '42501' ? refused : done),
      )
      list.push(`${role}: ${attempt}`)
    }
    await client.end()
  }
  return { refused, done }
}
