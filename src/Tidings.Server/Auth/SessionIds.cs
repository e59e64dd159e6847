using System.Security.Cryptography;

namespace Tidings.Server.Auth;

/// <summary>
/// Ids of sessions, as they stand in the claim <c>sid</c>. They are no secrets. Their prefix tells them from the <c>sid</c> that a host
/// app's sign-in may put into its tokens.
/// </summary>
internal static class SessionIds
{
    private const string Prefix = "ts-";
    private const int Bytes = 16;

    public static string Create() => Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bytes));

    public static bool IsOne(string? text) =>
        text is not null && text.Length == Prefix.Length + (Bytes * 2) && text.StartsWith(Prefix, StringComparison.Ordinal);
}
