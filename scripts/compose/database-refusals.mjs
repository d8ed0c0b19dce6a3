// @ts-check
import pg from 'pg'

const tables = { chat: 'messages', push: 'devices', email: 'suppressions', audit: 'events' }
const schemas = /** @type {(keyof typeof tables)[]} */ (Object.keys(tables))

/**
 * What each worker's role must not do, tried.
 * @param {(role: string) => string} urlOf
 * @returns {Promise<import('./refusals.mjs').Answer[]>}
 */
export async function tryDatabaseRoles(urlOf) {
  /** @type {import('./refusals.mjs').Answer[]} */
  const answers = []
  for (const schema of schemas) {
    const role = `${schema}_worker`
    const others = schemas.filter((other) => other !== schema)
    /** @param {string} action @param {(other: keyof typeof tables) => string} toObject */
    const onOthers = (action, toObject) =>
      others.map((other) => /** @type {[action: string, object: string]} */ ([action, toObject(other)]))
    /** @type {[action: string, object: string][]} */
    const attempts = [
      // Takes no right but to look into the schema.
      ...onOthers('SELECT', (other) => `'${other}.${tables[other]}'::regclass`),
      ...onOthers('SELECT * FROM', (other) => `${other}.${tables[other]}`),
      ...onOthers('CREATE TABLE', (other) => `${other}.mine ()`),
      ...onOthers('SET ROLE', (other) => `${other}_worker`),
      ['CREATE SCHEMA', 'mine'],
      ['CREATE TABLE', 'public.mine ()'],
      ['CREATE ROLE', 'mine'],
      ['SELECT rolpassword FROM', 'pg_authid'],
    ]
    const client = new pg.Client({ connectionString: urlOf(role) })
    await client.connect()
    for (const [action, object] of attempts) {
      const { code, answer } = await client.query(`${action} ${object}`).then(
        () => ({ code: undefined, answer: 'done' }),
        (error) => ({ code: error.code, answer: error.message }),
      )
      // 42501: insufficient_privilege (https://www.postgresql.org/docs/current/errcodes-appendix.html)
      answers.push({ who: role, action, object, refused: code === '42501', answer })
    }
    await client.end()
  }
  return answers
}
