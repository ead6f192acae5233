// The certified npm oidc-provider as a second identity provider for tests, with one page for the password and one person per
// line of PEOPLE. It is told what to do by its environment and by lines on its standard input, and says on its standard
// output what became of it. Its ways differ from the demo provider's: groups are objects, claims come from userinfo alone,
// auth_time comes only where a fresh sign-in asks for it, and signing out asks first.
import Provider from 'oidc-provider';
import { createServer } from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PUBLIC_URL, PEOPLE } = process.env;
const people = new Map(JSON.parse(PEOPLE).map((one) => [one.sub, one]));
let keys = [];
let current;

function newKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
}

// rotate signs with a new key from now on; the one before stays in the key set.
function rotate() {
  keys = [newKey(), ...keys].slice(0, 2);
  current = make();
}

function make() {
  const provider = new Provider(ISSUER, {
    clients: [{
      client_id: CLIENT_ID, client_secret: CLIENT_SECRET, redirect_uris: [`${PUBLIC_URL}/oidc/callback`], response_types: ['code'],
      grant_types: ['authorization_code'], post_logout_redirect_uris: [`${PUBLIC_URL}/signed-out`], token_endpoint_auth_method: 'client_secret_basic',
      backchannel_logout_uri: `${PUBLIC_URL}/oidc/backchannel`, backchannel_logout_session_required: true, id_token_signed_response_alg: 'RS256',
    }],
    jwks: { keys },
    cookies: { keys: ['a key of the test'] },
    claims: { openid: ['sub', 'tenant', 'groups'], profile: ['name'], email: ['email'] },
    conformIdTokenClaims: true, // claims of scopes come from userinfo alone
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        logoutSource: (ctx, form) => {
          ctx.body = `<!DOCTYPE html><title>Sign out</title><body data-page="confirm">${form}<button form="op.logoutForm" name="logout" value="yes" data-action="sign-out">Sign out</button>`;
        },
      },
    },
    // It refuses to speak to loopback addresses, which is where the test's servers are.
    fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
    ttl: { Interaction: 600, Grant: 3600, Session: 3600, AccessToken: 600, IdToken: 600, AuthorizationCode: 60 },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, sub) => {
      const person = people.get(sub);
      return person && { accountId: sub, claims: () => ({ sub, name: person.name, email: person.email, tenant: person.tenant, groups: person.groups.map((name) => ({ name })) }) };
    },
    // The one application is trusted; nobody is asked for consent.
    loadExistingGrant: async (ctx) => {
      const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
    renderError: (ctx, out) => { ctx.body = `error: ${JSON.stringify(out)}`; },
  });
  provider.on('backchannel.error', (_, error) => console.log(`backchannel failed: ${error.message}`));
  provider.on('server_error', (_, error) => console.log(`failed: ${error.stack}`));
  return provider;
}

function page(response, status, uid, wrong = '') {
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(`<!DOCTYPE html><title>Sign in</title><body><p data-wrong>${wrong}</p>
    <form method="post" action="/interaction/${uid}/login" data-form="typed"><input name="username"><input name="password" type="password">
    <button data-action="sign-in">Sign in</button></form>`);
}

async function typed(request) {
  let body = '';
  for await (const chunk of request) body += chunk;
  return new URLSearchParams(body);
}

const server = createServer(async (request, response) => {
  const found = /^\/interaction\/([\w-]+)(\/login)?$/.exec(request.url);
  if (!found) return current.callback()(request, response);
  try {
    const { uid } = await current.interactionDetails(request, response);
    if (!found[2]) return page(response, 200, uid);
    const form = await typed(request);
    const person = [...people.values()].find((one) => one.username === form.get('username'));
    if (!person || form.get('password') !== person.password) return page(response, 401, uid, 'Wrong user name or password.');
    return await current.interactionFinished(request, response, { login: { accountId: person.sub, acr: '1', amr: ['pwd'] } }, { mergeWithLastSubmission: false });
  } catch (error) {
    response.writeHead(400, { 'Content-Type': 'text/plain' });
    return response.end(`no sign-in is under way: ${error.message}`);
  }
});

rotate();
server.listen(Number(new URL(ISSUER).port), '127.0.0.1', () => console.log('ready'));
createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'rotate') rotate();
  console.log(`${line} done`);
}).on('close', () => process.exit(0)); // whoever started this is gone
