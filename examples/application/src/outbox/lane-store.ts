import type { Pool } from 'pg'

/** One relay's turn at a lane. */
export interface Claim {
  lane: string
  /** Grows with each claim of the lane. */
  token: string
}

export type LaneStore = ReturnType<typeof createLaneStore>

/** The leases. All times are the database's, so that clocks of relays don't matter. */
export function createLaneStore(pool: Pool, { holder, leaseMs }: { holder: string; leaseMs: number }) {
  return {
    /** Takes every lane that has messages waiting and is nobody's. */
    async claim(): Promise<Claim[]> {
      const { rows } = await pool.query<Claim>(
        `UPDATE example.outbox_lanes
         SET holder = $1, token = token + 1, held_until = clock_timestamp() + $2 * interval '1 millisecond'
         WHERE lane = ANY (ARRAY(
           SELECT lane FROM example.outbox_lanes AS free
           WHERE (held_until IS NULL OR held_until < clock_timestamp())
             AND EXISTS (SELECT FROM example.outbox AS o WHERE o.lane = free.lane AND o.failed_at IS NULL)
           FOR UPDATE SKIP LOCKED))
         RETURNING lane, token`,
        [holder, leaseMs],
      )
      return rows
    },
    /** False: another relay has taken the lane since. */
    async renew({ lane, token }: Claim): Promise<boolean> {
      const { rowCount } = await pool.query(
        `UPDATE example.outbox_lanes SET held_until = clock_timestamp() + $3 * interval '1 millisecond'
         WHERE lane = $1 AND token = $2`,
        [lane, token, leaseMs],
      )
      return rowCount === 1
    },
    /** Gives the lane up; nobody tries it for so long, in milliseconds. Without effect if another has taken it. */
    async release({ lane, token }: Claim, holdMs: number): Promise<void> {
      await pool.query(
        `UPDATE example.outbox_lanes
         SET holder = NULL, held_until = clock_timestamp() + nullif($3, 0) * interval '1 millisecond'
         WHERE lane = $1 AND token = $2`,
        [lane, token, holdMs],
      )
    },
  }
}
