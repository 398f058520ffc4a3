"""The database itself refuses to change the audit trail (security.md L2)."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION vaultadmin_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit trail is append-only.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON vaultadmin_auditevent
    FOR EACH ROW EXECUTE FUNCTION vaultadmin_audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON vaultadmin_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION vaultadmin_audit_refuse();
CREATE FUNCTION vaultadmin_audithead_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR NEW.chain <> OLD.chain OR NEW.sequence < OLD.sequence THEN
        RAISE EXCEPTION 'The audit trail only grows.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audithead_only_grows BEFORE UPDATE OR DELETE ON vaultadmin_audithead
    FOR EACH ROW EXECUTE FUNCTION vaultadmin_audithead_guard();
CREATE TRIGGER audithead_no_truncate BEFORE TRUNCATE ON vaultadmin_audithead
    FOR EACH STATEMENT EXECUTE FUNCTION vaultadmin_audit_refuse();
"""

BACKWARD = """
DROP TRIGGER audithead_no_truncate ON vaultadmin_audithead;
DROP TRIGGER audithead_only_grows ON vaultadmin_audithead;
DROP FUNCTION vaultadmin_audithead_guard();
DROP TRIGGER audit_no_truncate ON vaultadmin_auditevent;
DROP TRIGGER audit_no_change ON vaultadmin_auditevent;
DROP FUNCTION vaultadmin_audit_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("vaultadmin", "0001_platform")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
