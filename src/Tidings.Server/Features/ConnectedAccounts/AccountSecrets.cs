using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace Tidings.Server.Features.ConnectedAccounts;

/// <summary>
/// Encrypts what is kept secret of an account, for its row and column: a ciphertext that is moved to another row does not open. The keys are outside the
/// database, or wrapped in it (<c>Tidings:EncryptionKeys</c>).
/// </summary>
internal sealed class AccountSecrets(IDataProtectionProvider protection)
{
    private const string Purpose = "Tidings.ConnectedAccounts";
    private const string Column = "secrets";

    /// <summary>Encrypts an account's secrets.</summary>
    public string Seal(string accountId, string secrets) => ProtectorOf(accountId).Protect(secrets);

    /// <summary>Decrypts them; null if they are not this account's, or the keys are lost.</summary>
    public string? Open(string accountId, string sealedSecrets)
    {
        try
        {
            return ProtectorOf(accountId).Unprotect(sealedSecrets);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private IDataProtector ProtectorOf(string accountId) => protection.CreateProtector(Purpose, accountId, Column);
}
