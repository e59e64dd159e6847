namespace Tidings.Testing.Checks;

/// <summary>
/// A text that is locked away in a post, with those who may read it. It is nowhere else, so whoever receives it has received that post.
/// Safe for all threads.
/// </summary>
public sealed class LockedText
{
    /// <summary>What each begins with.</summary>
    public const string Prefix = "canary-";

    private readonly Lock _gate = new();
    private readonly HashSet<string> _readers = [];
    private readonly HashSet<string> _barred = [];
    private bool _isOpen;

    internal LockedText(string text) => Text = text;

    /// <summary>The text.</summary>
    public string Text { get; }

    /// <summary>A text that nobody may read yet; who posts it is let in by their client.</summary>
    /// <param name="readers">User ids.</param>
    public static LockedText New(params string[] readers) => CanaryWatch.Shared.NewText().Allow(readers);

    /// <summary>A text that everybody may read until <see cref="Lock"/>.</summary>
    public static LockedText NewOpen()
    {
        var text = CanaryWatch.Shared.NewText();
        text._isOpen = true;
        return text;
    }

    /// <summary>Lets users in.</summary>
    public LockedText Allow(params string[] readers)
    {
        lock (_gate)
        {
            _readers.UnionWith(readers);
            _barred.ExceptWith(readers);
        }

        return this;
    }

    /// <summary>Takes it from users: what reaches them from here on is a leak. Wait first for what they may still get.</summary>
    public LockedText Forbid(params string[] readers)
    {
        lock (_gate)
        {
            _readers.ExceptWith(readers);
            _barred.UnionWith(readers);
        }

        return this;
    }

    /// <summary>Takes it from everybody whom <see cref="Allow"/> has not let in.</summary>
    public LockedText Lock()
    {
        lock (_gate) _isOpen = false;
        return this;
    }

    /// <summary>Lets everybody in.</summary>
    public LockedText Open()
    {
        lock (_gate) _isOpen = true;
        return this;
    }

    /// <inheritdoc />
    public override string ToString() => Text;

    internal bool IsFor(string? reader)
    {
        lock (_gate) return reader is null ? _isOpen : _readers.Contains(reader) || (_isOpen && !_barred.Contains(reader));
    }
}
