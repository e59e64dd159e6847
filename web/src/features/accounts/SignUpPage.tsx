import { register } from '../../api/accounts';
import { Link } from '../../app/Link';
import { AccountForm } from './AccountForm';
import { Field } from './Field';

export function SignUpPage() {
  return (
    <AccountForm
      title="Create your account"
      lead="Write something, and whoever follows you sees it at once."
      action="Create account"
      submit={(form) => {
        const fullName = String(form.get('fullName')).trim();
        return register({
          nickname: String(form.get('nickname')).trim(),
          email: String(form.get('email')).trim(),
          password: String(form.get('password')),
          ...(fullName === '' ? {} : { fullName }),
        });
      }}
      footer={<>Already have an account? <Link to="/signin">Sign in</Link></>}
    >
      {(errors) => (
        <>
          <Field label="Nickname" name="nickname" autoComplete="username" autoCapitalize="none" spellCheck={false} required autoFocus hint="How others find you: @nickname" errors={errors['nickname']} />
          <Field label="Full name (optional)" name="fullName" autoComplete="name" errors={errors['fullName']} />
          <Field label="Email" name="email" type="email" autoComplete="email" required errors={errors['email']} />
          <Field label="Password" name="password" type="password" autoComplete="new-password" required minLength={8} hint="At least 8 characters" errors={errors['password']} />
        </>
      )}
    </AccountForm>
  );
}
