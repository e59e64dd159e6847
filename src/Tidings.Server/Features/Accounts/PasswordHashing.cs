using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Tidings.Server.Features.Accounts;

/// <summary>What came of a password.</summary>
internal enum PasswordVerdict
{
    Wrong,
    Right,

    /// <summary>Right, but its hash should be made anew.</summary>
    RightButOld,

    /// <summary>Too many are waiting to be hashed.</summary>
    Busy,
}

/// <summary>
/// Hashes passwords with the framework's hasher (PBKDF2, HMAC-SHA-512). It takes a core for a tenth of a second, so two are hashed at a time
/// and a bounded number wait; the rest of the server goes on.
/// </summary>
internal sealed class PasswordHashing : IDisposable
{
    /// <summary>What OWASP asks of PBKDF2 with HMAC-SHA-512.</summary>
    public const int UsualIterations = 210_000;

    private const int AtOnce = 2;
    private const int MaxWaiting = 64;

    private static readonly object Nobody = new();

    private readonly PasswordHasher<object> _hasher;
    private readonly SemaphoreSlim _slots = new(AtOnce);
    private readonly Lazy<string> _dummy;
    private int _waiting;

    public PasswordHashing(int iterations = UsualIterations)
    {
        _hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = iterations }));
        _dummy = new Lazy<string>(() => _hasher.HashPassword(Nobody, Guid.NewGuid().ToString()));
    }

    /// <summary>The hash of a new password; null if too many are waiting.</summary>
    public Task<string?> HashAsync(string password, CancellationToken cancellationToken) =>
        RunAsync<string?>(() => _hasher.HashPassword(Nobody, password), busy: null, cancellationToken);

    /// <summary>Compares a password with a hash. Without a hash it does the same work and says that it is wrong.</summary>
    public Task<PasswordVerdict> VerifyAsync(string? hash, string password, CancellationToken cancellationToken) =>
        RunAsync(
            () =>
            {
                var dummy = _dummy.Value;   // made by whoever comes first, so that its making tells nothing about a name either
                return (_hasher.VerifyHashedPassword(Nobody, hash ?? dummy, password), hash) switch
                {
                    (_, null) or (PasswordVerificationResult.Failed, _) => PasswordVerdict.Wrong,
                    (PasswordVerificationResult.SuccessRehashNeeded, _) => PasswordVerdict.RightButOld,
                    _ => PasswordVerdict.Right,
                };
            },
            busy: PasswordVerdict.Busy,
            cancellationToken);

    public void Dispose() => _slots.Dispose();

    private async Task<T> RunAsync<T>(Func<T> work, T busy, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            return busy;
        }

        try
        {
            await _slots.WaitAsync(cancellationToken);
            try
            {
                return work();
            }
            finally
            {
                _slots.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}
