import type { ClientBase } from 'pg'
import { NotFoundError } from '../errors.js'

export interface NewNotification {
  notificationId: string
  tenantId: number
  sentBy: string
  title: string
  recipients: string[]
  pushMessageId: string
  emailMessageId: string | null
}

/**
 * How far a notification has come. `waiting`: for the broker; `sent`: the broker has it, and the worker's ledger says the
 * rest; `refused`: it will not be sent as it is.
 */
export type ChannelState = 'waiting' | 'sent' | 'refused'

/** So many devices or addresses are in this state of the worker's ledger; the reason is a code. */
export interface Outcome {
  outcome: string
  reason?: string
  count: number
}

export interface NotificationReport {
  notificationId: string
  title: string
  /** `devices`: of the recipients now; `disabled`: those of them that are not reached any more. */
  push: { state: ChannelState; devices: number; disabled: number; withoutDevice: number; outcomes: Outcome[] | null }
  /** `suppressed`: addresses to which nothing is sent. Null: no mail was asked for. */
  email: { state: ChannelState; addresses: number; suppressed: number; outcomes: Outcome[] | null } | null
}

const stateOf = (type: string, id: string) => `CASE
  WHEN NOT EXISTS (SELECT FROM example.outbox WHERE tenant_id = $1 AND type = '${type}' AND message_id = ${id}) THEN 'sent'
  WHEN EXISTS (SELECT FROM example.outbox
               WHERE tenant_id = $1 AND type = '${type}' AND message_id = ${id} AND failed_at IS NULL) THEN 'waiting'
  ELSE 'refused' END`

/** In ledger-outcomes.sql of the deployment, because the ledgers themselves are not the application's to read. */
const outcomesOf = (ledger: 'push' | 'email', id: string) =>
  `(SELECT coalesce(json_agg(json_strip_nulls(to_json(o))), '[]') FROM ${ledger}.count_outcomes($1, ${id}) AS o)`

async function canSeeOutcomes(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ canSee: boolean | null }>(
    `SELECT bool_and(coalesce(has_function_privilege(to_regprocedure(ledger || '.count_outcomes(bigint,text)'), 'EXECUTE'), false))
       AS "canSee"
     FROM unnest(ARRAY['push', 'email']) AS ledger`,
  )
  return rows[0]?.canSee ?? false
}

export function createNotifications(client: ClientBase) {
  return {
    async create({ data }: { data: NewNotification }): Promise<void> {
      await client.query(
        `INSERT INTO example.notifications
           (tenant_id, notification_id, sent_by, title, recipients, push_message_id, email_message_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7)`,
        [
          data.tenantId,
          data.notificationId,
          data.sentBy,
          data.title,
          data.recipients,
          data.pushMessageId,
          data.emailMessageId,
        ],
      )
    },
    /** @throws NotFoundError */
    async report(tenantId: number, notificationId: string): Promise<NotificationReport> {
      const canSee = await canSeeOutcomes(client)
      const { rows } = await client.query<{ report: NotificationReport }>(
        `SELECT json_build_object(
           'notificationId', notification_id, 'title', title,
           'push', json_build_object(
             'state', ${stateOf('push.notification', 'n.push_message_id')},
             'devices', (SELECT count(*) FROM push.devices AS d WHERE d.tenant_id = $1 AND d.user_id = ANY (recipients)),
             'disabled', (SELECT count(*) FROM push.devices AS d
                          WHERE d.tenant_id = $1 AND d.user_id = ANY (recipients) AND disabled_at IS NOT NULL),
             'withoutDevice', (SELECT count(*) FROM unnest(recipients) AS r(id) WHERE NOT EXISTS (
                                 SELECT FROM push.devices AS d
                                 WHERE d.tenant_id = $1 AND d.user_id = r.id AND disabled_at IS NULL)),
             'outcomes', ${canSee ? outcomesOf('push', 'push_message_id') : 'NULL'}),
           'email', CASE WHEN email_message_id IS NOT NULL THEN json_build_object(
             'state', ${stateOf('email.notification', 'n.email_message_id')},
             'addresses', cardinality(recipients),
             'suppressed', (SELECT count(*) FROM example.users AS u JOIN email.suppressions AS s
                            ON s.tenant_id = u.tenant_id AND s.address = u.email
                            WHERE u.tenant_id = $1 AND u.user_id = ANY (recipients)),
             'outcomes', ${canSee ? outcomesOf('email', 'email_message_id') : 'NULL'}) END) AS report
         FROM example.notifications AS n WHERE tenant_id = $1 AND notification_id = $2`,
        [tenantId, notificationId],
      )
      const [row] = rows
      if (!row) throw new NotFoundError('There is no such notification')
      return row.report
    },
  }
}
