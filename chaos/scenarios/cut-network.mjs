// @ts-check

/** @type {import('../scenario.mjs').Scenario} */
export const cutNetwork = {
  name: 'cut-network',
  what: 'nothing gets through between broker and clients for 60 s, and no connection is reset',
  seconds: 60,
  goesOnWithin: 10,
  proxied: true,
  async fault({ stage, pause }) {
    stage.proxy?.freeze()
    await pause(60_000)
    stage.proxy?.thaw()
  },
}
