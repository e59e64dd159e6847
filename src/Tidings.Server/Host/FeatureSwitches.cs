using Microsoft.Extensions.Primitives;

namespace Tidings.Server.Host;

/// <summary>
/// Switches that take effect without a restart: changed in the configuration, or here by an operator until the configuration changes again.
/// Safe for all threads.
/// </summary>
internal sealed class FeatureSwitches : IDisposable
{
    public const string RealtimeKey = "Features:Realtime";
    public const string AuthorNotificationsKey = "Features:AuthorNotifications";

    private readonly IConfiguration _configuration;
    private readonly IDisposable _registration;
    private volatile bool _realtime;
    private volatile bool _authorNotifications;

    public FeatureSwitches(IConfiguration configuration)
    {
        _configuration = configuration;
        Read();
        _registration = ChangeToken.OnChange(configuration.GetReloadToken, Read);
    }

    /// <summary>Raised after a switch has changed, on the thread that changed it.</summary>
    public event Action? Changed;

    /// <summary>False: live connections are closed, and all works over REST.</summary>
    public bool Realtime
    {
        get => _realtime;
        set => Set(value, _authorNotifications);
    }

    /// <summary>False: an author's own connections don't get <c>post_created</c> of their own posts.</summary>
    public bool AuthorNotifications
    {
        get => _authorNotifications;
        set => Set(_realtime, value);
    }

    public void Dispose() => _registration.Dispose();

    /// <summary>A text that is no boolean, written into a live file, leaves the switch as it is.</summary>
    private void Read()
    {
        var isFirst = _registration is null;
        Set(Read(RealtimeKey, isFirst || _realtime), Read(AuthorNotificationsKey, isFirst || _authorNotifications));
    }

    private bool Read(string key, bool otherwise) =>
        _configuration[$"{OptionsReader.Section}:{key}"] is { Length: > 0 } text ? bool.TryParse(text, out var value) ? value : otherwise : true;

    private void Set(bool realtime, bool authorNotifications)
    {
        if (realtime == _realtime && authorNotifications == _authorNotifications) return;
        _realtime = realtime;
        _authorNotifications = authorNotifications;
        Changed?.Invoke();
    }
}
