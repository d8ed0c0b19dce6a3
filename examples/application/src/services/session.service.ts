import { createHash, randomBytes } from 'node:crypto'
import type { Work } from '../database.js'
import { RefusedError } from '../errors.js'
import type { Member } from './chat.service.js'

export interface User extends Member {
  name: string
  email: string
}

export interface Session extends User {
  csrfToken: string
}

const lifetime = '12 hours'
const userColumns = 'tenant_id::float AS "tenantId", user_id AS "userId", name, email'

/** The users of a demonstration, who choose themselves in place of a password: of every tenant. */
export async function listDemoUsers({ db }: Work): Promise<User[]> {
  return (await db.query<User>(`SELECT ${userColumns} FROM example.users ORDER BY tenant_id, user_id`)).rows
}

/** @throws RefusedError if there is no such user */
export async function createSession({ db }: Work, { tenantId, userId }: Member) {
  const token = createToken()
  const csrfToken = createToken()
  const { rowCount } = await db.query(
    `INSERT INTO example.sessions (token_hash, csrf_token, tenant_id, user_id, expires_at)
     SELECT $1, $2, tenant_id, user_id, now() + interval '${lifetime}'
     FROM example.users WHERE tenant_id = $3 AND user_id = $4`,
    [hash(token), csrfToken, tenantId, userId],
  )
  if (rowCount === 0) throw new RefusedError(404, 'There is no such user')
  await db.query('DELETE FROM example.sessions WHERE expires_at < now()')
  return { token, csrfToken }
}

export async function findSession({ db }: Work, token: string): Promise<Session | undefined> {
  const { rows } = await db.query<Session>(
    `SELECT csrf_token AS "csrfToken", ${userColumns}
     FROM example.sessions JOIN example.users USING (tenant_id, user_id)
     WHERE token_hash = $1 AND expires_at > now()`,
    [hash(token)],
  )
  return rows[0]
}

export async function endSession({ db }: Work, token: string): Promise<void> {
  await db.query('DELETE FROM example.sessions WHERE token_hash = $1', [hash(token)])
}

const createToken = () => randomBytes(32).toString('base64url')

const hash = (token: string) => createHash('sha256').update(token).digest()
