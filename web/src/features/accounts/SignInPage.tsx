import { signIn } from '../../api/accounts';
import { Link } from '../../app/Link';
import { AccountForm } from './AccountForm';
import { Field } from './Field';

export function SignInPage() {
  return (
    <AccountForm
      title="Welcome back"
      lead="Sign in to post and to see posts arrive live."
      action="Sign in"
      submit={(form) => signIn(String(form.get('login')).trim(), String(form.get('password')))}
      footer={<>New here? <Link to="/signup">Create an account</Link></>}
    >
      {(errors) => (
        <>
          <Field label="Nickname or email" name="login" autoComplete="username" autoCapitalize="none" spellCheck={false} required autoFocus errors={errors['login']} />
          <Field label="Password" name="password" type="password" autoComplete="current-password" required errors={errors['password']} />
        </>
      )}
    </AccountForm>
  );
}
