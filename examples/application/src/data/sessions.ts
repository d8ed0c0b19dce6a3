import { createHash, randomBytes } from 'node:crypto'
import type { ClientBase } from 'pg'
import { NotFoundError } from '../errors.js'
import type { User } from './users.js'

export interface Session extends User {
  csrfToken: string
}

const lifetime = '12 hours'

export function createSessions(client: ClientBase) {
  return {
    /** @throws NotFoundError if there is no such user */
    async create(user: { tenantId: number; userId: string }): Promise<{ token: string; csrfToken: string }> {
      const token = createToken()
      const csrfToken = createToken()
      const { rowCount } = await client.query(
        `INSERT INTO example.sessions (token_hash, csrf_token, tenant_id, user_id, expires_at)
         SELECT $1, $2, tenant_id, user_id, now() + interval '${lifetime}'
         FROM example.users WHERE tenant_id = $3 AND user_id = $4`,
        [hash(token), csrfToken, user.tenantId, user.userId],
      )
      if (rowCount === 0) throw new NotFoundError('There is no such user')
      await client.query('DELETE FROM example.sessions WHERE expires_at < now()')
      return { token, csrfToken }
    },
    async find(token: string): Promise<Session | undefined> {
      const { rows } = await client.query<Session>(
        `SELECT csrf_token AS "csrfToken", tenant_id::float AS "tenantId", user_id AS "userId", name, email
         FROM example.sessions JOIN example.users USING (tenant_id, user_id)
         WHERE token_hash = $1 AND expires_at > now()`,
        [hash(token)],
      )
      return rows[0]
    },
    async remove(token: string): Promise<void> {
      await client.query('DELETE FROM example.sessions WHERE token_hash = $1', [hash(token)])
    },
  }
}

const createToken = () => randomBytes(32).toString('base64url')

const hash = (token: string) => createHash('sha256').update(token).digest()
