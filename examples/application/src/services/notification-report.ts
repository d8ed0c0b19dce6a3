import type { Work } from '../database.js'
import { RefusedError } from '../errors.js'

/** So many devices or addresses are in this state of the worker's ledger; the reason is a code. */
export interface Outcome {
  outcome: string
  reason?: string
  count: number
}

interface ChannelReport {
  /** `waiting`: for the broker; `sent`: the broker has it, the ledger says the rest; `refused`: it will not be sent as it is. */
  state: 'waiting' | 'sent' | 'refused'
  /** Null where the ledgers' counts are not to be had: ledger-outcomes.sql of docker/postgres makes and grants them. */
  outcomes: Outcome[] | null
}

export interface NotificationReport {
  notificationId: string
  title: string
  /** `devices`: of the recipients now; `disabled`: those of them that are not reached any more. */
  push: ChannelReport & { devices: number; disabled: number; withoutDevice: number }
  /** `suppressed`: addresses to which nothing is sent. Null: no mail was asked for. */
  email: (ChannelReport & { addresses: number; suppressed: number }) | null
}

type Channel = 'push' | 'email'

const stateOf = (channel: Channel) => `coalesce(
  (SELECT CASE WHEN failed_at IS NULL THEN 'waiting' ELSE 'refused' END FROM example.outbox
   WHERE tenant_id = $1 AND type = '${channel}.notification' AND message_id = n.${channel}_message_id), 'sent')`

const outcomesOf = (channel: Channel) => `(
  SELECT coalesce(json_agg(json_strip_nulls(to_json(o))), '[]')
  FROM ${channel}.count_outcomes($1, n.${channel}_message_id) AS o)`

/** @throws RefusedError if the tenant has no such notification */
export async function readNotification(
  work: Work,
  tenantId: number,
  notificationId: string,
): Promise<NotificationReport> {
  const canCount = await canCountOutcomes(work)
  const { rows } = await work.db.query<{ report: NotificationReport }>(
    `SELECT json_build_object(
       'notificationId', notification_id, 'title', title,
       'push', json_build_object(
         'state', ${stateOf('push')},
         'devices', (SELECT count(*) FROM push.devices AS d WHERE d.tenant_id = $1 AND d.user_id = ANY (recipients)),
         'disabled', (SELECT count(*) FROM push.devices AS d
                      WHERE d.tenant_id = $1 AND d.user_id = ANY (recipients) AND disabled_at IS NOT NULL),
         'withoutDevice', (SELECT count(*) FROM unnest(recipients) AS r(id) WHERE NOT EXISTS (
                             SELECT FROM push.devices AS d
                             WHERE d.tenant_id = $1 AND d.user_id = r.id AND disabled_at IS NULL)),
         'outcomes', ${canCount ? outcomesOf('push') : 'NULL'}),
       'email', CASE WHEN email_message_id IS NOT NULL THEN json_build_object(
         'state', ${stateOf('email')},
         'addresses', cardinality(recipients),
         'suppressed', (SELECT count(*) FROM example.users AS u JOIN email.suppressions AS s
                        ON s.tenant_id = u.tenant_id AND s.address = u.email
                        WHERE u.tenant_id = $1 AND u.user_id = ANY (recipients)),
         'outcomes', ${canCount ? outcomesOf('email') : 'NULL'}) END) AS report
     FROM example.notifications AS n WHERE tenant_id = $1 AND notification_id = $2`,
    [tenantId, notificationId],
  )
  const [row] = rows
  if (!row) throw new RefusedError(404, 'There is no such notification')
  return row.report
}

async function canCountOutcomes({ db }: Work): Promise<boolean> {
  const { rows } = await db.query<{ canCount: boolean }>(
    `SELECT bool_and(coalesce(
       has_function_privilege(to_regprocedure(ledger || '.count_outcomes(bigint,text)'), 'EXECUTE'), false)) AS "canCount"
     FROM unnest(ARRAY['push', 'email']) AS ledger`,
  )
  return rows[0]?.canCount ?? false
}
