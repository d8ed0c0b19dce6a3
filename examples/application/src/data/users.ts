import type { ClientBase } from 'pg'

export interface User {
  tenantId: number
  userId: string
  name: string
  email: string
}

const columns = 'tenant_id::float AS "tenantId", user_id AS "userId", name, email'

export function createUsers(client: ClientBase) {
  return {
    /** Those of a demonstration, which choose themselves in place of a password: of every tenant. */
    async listForLogin(): Promise<User[]> {
      return (await client.query<User>(`SELECT ${columns} FROM example.users ORDER BY tenant_id, user_id`)).rows
    },
    async list(tenantId: number): Promise<User[]> {
      const { rows } = await client.query<User>(
        `SELECT ${columns} FROM example.users WHERE tenant_id = $1 ORDER BY user_id`,
        [tenantId],
      )
      return rows
    },
    async findEmails(tenantId: number, userIds: readonly string[]): Promise<string[]> {
      const { rows } = await client.query<{ email: string }>(
        'SELECT email FROM example.users WHERE tenant_id = $1 AND user_id = ANY ($2) ORDER BY user_id',
        [tenantId, userIds],
      )
      return rows.map(({ email }) => email)
    },
  }
}
