import { Alert, Layout } from './layout';

interface LoginPageProps {
  next: string;
  problem?: string;
  leadconduit: string | undefined;
}

export const LoginPage = ({ next, problem, leadconduit }: LoginPageProps) => (
  <Layout title="Log in" leadconduit={leadconduit}>
    <h1>Log in</h1>
    {problem && <Alert>{problem}</Alert>}
    <form method="post" action="/login" class="stack narrow">
      <input type="hidden" name="next" value={next} />
      <label>
        Your name
        <input name="who" maxlength={60} autocomplete="username" />
      </label>
      <p class="hint">The timeline shows it, with the name of the key, at everything that you do.</p>
      <label>
        Key
        <input type="password" name="key" required autocomplete="current-password" />
      </label>
      <p class="hint">
        The key of the API. <code>npm start</code> prints where it is kept.
      </p>
      <button>Log in</button>
    </form>
  </Layout>
);
