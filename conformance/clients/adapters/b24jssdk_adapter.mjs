// @bitrix24/b24jssdk 2.2.0 by the client protocol; with the word batch, as a batch of one.
// It speaks HTTPS only; NODE_EXTRA_CA_CERTS is set for us.
import { createInterface } from 'node:readline'
import { createRequire } from 'node:module'
import { B24Hook, ParamsFactory, AjaxError } from '@bitrix24/b24jssdk'

const name = `@bitrix24/b24jssdk ${createRequire(import.meta.url)('@bitrix24/b24jssdk/package.json').version}`

async function call(asked) {
  const url = asked.url.replace('http:', 'https:')
  const portal = B24Hook.fromWebhookUrl(url, { restrictionParams: ParamsFactory.getRealtime() })
  const { method, params } = asked
  try {
    let answer
    if (process.argv[2] === 'batch') {
      const options = { isHaltOnError: true, returnAjaxResult: true }
      const all = await portal.actions.v2.batch.make({ calls: { vote: { method, params } }, options })
      answer = all.isSuccess ? all.getData().vote : all
    } else {
      answer = await portal.actions.v2.call.make({ method, params })
    }
    if (answer.isSuccess) return { value: answer.getData().result }
    throw [...answer.getErrors()][0]
  } catch (error) {
    console.error(error) // as an application logs it
    if (error instanceof AjaxError) return { error: { code: error.code, description: error.message, status: error.status } }
    return { exception: String(error) }
  }
}

async function answer(asked) {
  return { ...(await call(asked)), params: asked.params, client: name, concurrent: true }
}

for await (const line of createInterface({ input: process.stdin })) {
  // Two calls that are made at once come as a list.
  for (const one of await Promise.all([JSON.parse(line)].flat().map(answer))) console.log(JSON.stringify(one))
}
