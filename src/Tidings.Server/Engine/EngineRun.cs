using Tidings.Realtime;
using Tidings.Realtime.Connections;
using Tidings.Server.Auth;
using Tidings.Server.Features.Creators;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Engine;

/// <summary>What the engine hears from the product: each commit, the switch, ended sessions, changed users. Its start and end are the library's.</summary>
internal sealed class EngineRun(RealtimeEngine engine, Store store, FeatureSwitches switches, Sessions sessions, MemberChanges members)
    : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        store.DeliverTo(engine.Publisher.Carry);
        engine.Suspend(!switches.Realtime);
        switches.Changed += FollowSwitch;
        sessions.Ended += Disconnect;
        members.Changed += engine.RereadMember;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        switches.Changed -= FollowSwitch;
        sessions.Ended -= Disconnect;
        members.Changed -= engine.RereadMember;
        return Task.CompletedTask;
    }

    private void FollowSwitch() => engine.Suspend(!switches.Realtime);

    private void Disconnect(Session session) => engine.Disconnect(session.UserId, session.Id, CloseReason.InvalidToken);
}
