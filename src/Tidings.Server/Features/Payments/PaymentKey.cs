using System.Security.Cryptography;
using System.Text;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Payments;

/// <summary>
/// The key with which payments are confirmed: the provider's if one is configured, otherwise one made of the app's secret, which whoever runs
/// the server has (the command <c>confirm-payment</c>), and nobody else.
/// </summary>
internal static class PaymentKey
{
    private static readonly byte[] Purpose = Encoding.ASCII.GetBytes("tidings payments webhook");

    /// <summary>The key.</summary>
    public static byte[] Of(TidingsOptions options, HostSecrets secrets) =>
        options.PaymentsWebhookKey ?? HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secrets.AppSecret), outputLength: 32, info: Purpose);
}
