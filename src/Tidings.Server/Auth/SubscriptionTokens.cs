using Tidings.Realtime.Channels;
using Tidings.Server.Auth.Jwt;
using Tidings.Server.Host;

namespace Tidings.Server.Auth;

/// <summary>
/// Tokens that let a user into one channel: signed by a backend with the app's secret, so that no user token can pass for one, nor the
/// other way round. Claims: <c>sub</c> (or <c>*</c>), <c>channel</c>, <c>exp</c>, and <c>iat</c>, without which a revocation covers it.
/// </summary>
internal sealed class SubscriptionTokens(TidingsOptions options, HostSecrets secrets, TimeProvider clock)
{
    private readonly JwtValidator _validator = new(
        new JwtRules
        {
            UserIdClaims = ["sub"],
            ClockSkew = options.Auth.ClockSkew,
            MaxLifetime = options.Auth.MaxTokenLifetime,
            AllowsEveryone = true,
        },
        new JwtKeys(new HmacKey(System.Text.Encoding.UTF8.GetBytes(secrets.AppSecret)), remote: null),
        clock);

    /// <summary>What a token says, if it lets a user (null: an anonymous visitor) into a channel; otherwise null.</summary>
    public Jwt.Jwt? Find(string token, string? userId, ChannelName channel)
    {
        if (_validator.Validate(token).Jwt is not { Channel: { } named } jwt) return null;
        if (jwt.UserId != "*" && jwt.UserId != userId) return null;
        return named == channel.Value || (options.Channels.Parse(named, out var parsed) == ChannelNameError.None && parsed == channel) ? jwt : null;
    }
}
