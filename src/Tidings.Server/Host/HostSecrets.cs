using System.Text;

namespace Tidings.Server.Host;

/// <summary>The secrets the server runs with, configured or generated. No record: printing it shows nothing.</summary>
internal sealed class HostSecrets(string authSecret, string appKey, string appSecret)
{
    /// <summary>The HS256 key of user tokens: the UTF-8 bytes of the configured text, as the libraries of host apps take it.</summary>
    public byte[] AuthKey { get; } = Encoding.UTF8.GetBytes(authSecret);

    /// <summary>The public half of the app's key pair.</summary>
    public string AppKey => appKey;

    /// <summary>The secret half: the bearer of backends, the key of subscription tokens, the Pusher app's secret.</summary>
    public string AppSecret => appSecret;

    /// <summary>Takes what is configured, and the rest from the secrets file, which is made on first start.</summary>
    /// <exception cref="StartRefusedException">A secret is missing where none may be generated, or the file cannot be used.</exception>
    public static HostSecrets Resolve(TidingsOptions options, Action<string> warn)
    {
        if (options is { Auth.Secret: { } auth, App: { Key: { } key, Secret: { } secret } }) return new HostSecrets(auth, key, secret);

        if (options.IsShared)
        {
            throw new StartRefusedException(
                "Tidings:Auth:Secret, Tidings:App:Key and Tidings:App:Secret must be set when Tidings:Database or Tidings:Redis is: " +
                "nodes cannot share generated secrets.");
        }

        var generated = SecretsFile.ReadOrCreate(options.DataDirectory, warn);
        return new HostSecrets(options.Auth.Secret ?? generated.AuthSecret, options.App.Key ?? generated.AppKey, options.App.Secret ?? generated.AppSecret);
    }
}
