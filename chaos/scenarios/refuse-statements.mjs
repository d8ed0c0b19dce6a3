// @ts-check

/** Internal error: no list of a client's names it. */
const code = 'XX000'
const tables = ['chat.messages', 'push.deliveries', 'email.deliveries', 'audit.events']

/** @type {import('../scenario.mjs').Scenario} */
export const refuseStatements = {
  name: 'refuse-statements',
  what: `for 60 s the database answers ${code} to every insert`,
  seconds: 60,
  goesOnWithin: 30,
  async fault({ stage, pause }) {
    const raise = `BEGIN RAISE EXCEPTION 'cache lookup failed' USING ERRCODE = '${code}'; END`
    await stage.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ ${raise} $$`)
    for (const table of tables) {
      await stage.query(`CREATE TRIGGER refuse BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION refuse()`)
    }
    await pause(60_000)
    await stage.query('DROP FUNCTION refuse CASCADE')
  },
}
