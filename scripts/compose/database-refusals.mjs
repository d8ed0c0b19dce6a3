// @ts-check
import pg from 'pg'

const tables = { chat: 'messages', push: 'devices', email: 'suppressions', audit: 'events' }
const schemas = /** @type {(keyof typeof tables)[]} */ (Object.keys(tables))

/** @typedef {[action: string, object: string]} Attempt */

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
    const onOthers = (action, toObject) => others.map((other) => /** @type {Attempt} */ ([action, toObject(other)]))
    /** @type {Attempt[]} */
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
    answers.push(...(await tryAll(role, urlOf(role), attempts)))
  }
  return answers
}

/**
 * Tries what the example application's role must not do.
 * @param {string} url
 * @returns {Promise<import('./refusals.mjs').Answer[]>}
 */
export async function tryApplicationRole(url) {
  return await tryAll('example_application', url, [
    ['INSERT INTO', "chat.conversations VALUES (1, 'mine')"],
    ['UPDATE', "chat.messages SET content = ''"],
    ['DELETE FROM', 'chat.messages'],
    ['UPDATE', "audit.events SET event_type = ''"],
    ['DELETE FROM', 'audit.events'],
    ['SELECT * FROM', 'audit.event_identities'],
    ['SELECT * FROM', 'push.deliveries'],
    ['SELECT * FROM', 'email.deliveries'],
    ['UPDATE', 'push.devices SET tenant_id = 2'],
    ['UPDATE', 'email.suppressions SET tenant_id = 2'],
    ...schemas.map((schema) => /** @type {Attempt} */ (['CREATE TABLE', `${schema}.mine ()`])),
    ...schemas.map((schema) => /** @type {Attempt} */ (['SET ROLE', `${schema}_worker`])),
    ['CREATE SCHEMA', 'mine'],
    ['SELECT rolpassword FROM', 'pg_authid'],
  ])
}

/**
 * @param {string} who
 * @param {string} url of the database, for this role
 * @param {Attempt[]} attempts
 */
async function tryAll(who, url, attempts) {
  /** @type {import('./refusals.mjs').Answer[]} */
  const answers = []
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (const [action, object] of attempts) {
    const { code, answer } = await client.query(`${action} ${object}`).then(
      () => ({ code: undefined, answer: 'done' }),
      (error) => ({ code: error.code, answer: error.message }),
    )
    // 42501: insufficient_privilege (https://www.postgresql.org/docs/current/errcodes-appendix.html)
    answers.push({ who, action, object, refused: code === '42501', answer })
  }
  await client.end()
  return answers
}
