using Tidings.Protocols.Admission;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Accounts;

/// <summary>
/// Slows down who guesses passwords: per login name ten failures at once and a hundred an hour, per address sixty at once and one every
/// two seconds. Only failures count. Unknown names are counted like known ones.
/// </summary>
internal sealed class LoginThrottle(TimeProvider clock)
{
    private readonly TokenBuckets<string> _names = new(perSecond: 100.0 / 3_600, burst: 10, clock);
    private readonly TokenBuckets<ClientAddress> _addresses = new(perSecond: 0.5, burst: 60, clock);

    /// <summary>Counts an attempt before its password is looked at, so that many at once do not slip through.</summary>
    public bool TryBegin(ClientAddress? address, string login, out TimeSpan retryAfter)
    {
        retryAfter = TimeSpan.Zero;
        if (address is { } from && !_addresses.TryTake(from, out retryAfter)) return false;
        return _names.TryTake(AccountKeys.Of(login), out retryAfter);
    }

    /// <summary>The attempt was no guess.</summary>
    public void NotCounted(ClientAddress? address, string login)
    {
        if (address is { } from) _addresses.Return(from);
        _names.Return(AccountKeys.Of(login));
    }
}
