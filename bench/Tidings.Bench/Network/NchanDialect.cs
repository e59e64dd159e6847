namespace Tidings.Bench.Network;

/// <summary>The path is the subscription, and the upgrade's answer confirms it.</summary>
internal sealed class NchanDialect : Dialect
{
    internal override string Path(int number) => "/subscribe";

    internal override void OnUpgraded(WebSocketConnection connection) => connection.ConfirmSubscribed();
}
